// Key file := <dir>/2026-01.key, 64 hexadecimal digits LF, readable by its owner alone
// Pseudonym := 100::/64 | the first 8 bytes of HMAC-SHA-256(key, 16 bytes of the address)
#include "storage/lookups/pseudonym.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "proto/base/rng.h"
#include "proto/record/signature.h"
#include "storage/lookups/partition.h"

namespace sekisho::lookups {
namespace {

namespace fs = std::filesystem;

constexpr std::array<uint8_t, 8> kDiscardOnly = {0x01, 0x00, 0, 0, 0, 0, 0, 0};

// The first day behind the month of "2026-01.key"; nothing for other names.
std::optional<int32_t> EndOfMonth(const std::string& name) {
  int year = 0;
  unsigned month = 0;
  if (name.size() != 11 || name.substr(7) != ".key" || name[4] != '-') return std::nullopt;
  for (const size_t i : {0, 1, 2, 3, 5, 6}) {
    if (name[i] < '0' || name[i] > '9') return std::nullopt;
    if (i < 4) year = year * 10 + (name[i] - '0');
    if (i > 4) month = month * 10 + static_cast<unsigned>(name[i] - '0');
  }
  const auto last = std::chrono::year(year) / std::chrono::month(month) / std::chrono::last;
  if (!last.ok()) return std::nullopt;
  return static_cast<int32_t>(std::chrono::sys_days(last).time_since_epoch().count()) + 1;
}

}  // namespace

bool IsPseudonym(const IpAddress& address) {
  return std::equal(kDiscardOnly.begin(), kDiscardOnly.end(), address.mapped().begin());
}

IpAddress PseudonymOf(const PseudonymKey& key, const IpAddress& address) {
  if (IsPseudonym(address)) return address;
  const auto hash = record::KeyedHash(key, address.mapped());
  std::array<uint8_t, 16> bytes{};
  std::copy(kDiscardOnly.begin(), kDiscardOnly.end(), bytes.begin());
  std::copy_n(hash.begin(), 8, bytes.begin() + 8);
  return IpAddress::V6(bytes);
}

std::optional<PseudonymKey> PseudonymKeys::KeyFor(int32_t day, std::string* error) {
  const std::string path = dir_ + "/" + DayText(day).substr(0, 7) + ".key";
  PseudonymKey key{};
  std::ifstream in(path);
  std::string line;
  if (in) {
    if (std::getline(in, line) && record::FromHex(line, key)) return key;
    *error = path + " is no key of 64 hexadecimal digits";
    return std::nullopt;
  }
  std::error_code ec;
  fs::create_directories(dir_, ec);
  fs::permissions(dir_, fs::perms::owner_all, ec);
  KernelRng().Fill(key);
  if (!ec && !fs::exists(path, ec) && record::ReplaceFile(path, record::Hex(key) + "\n", 0600)) return key;
  *error = "cannot read or make " + path;
  return std::nullopt;
}

std::vector<std::string> PseudonymKeys::Expire(int32_t today, uint32_t days) {
  std::vector<std::string> out;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(dir_, ec)) {
    const std::string name = entry.path().filename();
    const auto end = EndOfMonth(name);
    if (end && int64_t{*end} + days < today && fs::remove(entry.path(), ec)) out.push_back(name);
  }
  return out;
}

}  // namespace sekisho::lookups
