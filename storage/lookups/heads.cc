// The grammar of the statement is in the header.
#include "storage/lookups/heads.h"

#include <fstream>
#include <iterator>
#include <sstream>

#include "proto/base/bytes.h"

namespace sekisho::lookups {
namespace {

constexpr char kFirstLine[] = "sekisho log heads 1";

void PutEnd(std::ostream& out, const ChainEnd& e) {
  out << " " << e.blocks << " " << e.rows << " " << record::Hex(e.digest);
}

bool TakeEnd(std::istream& in, ChainEnd* e) {
  std::string digest;
  return in >> e->blocks >> e->rows >> digest && record::FromHex(digest, e->digest);
}

bool TakeLine(const std::string& line, Heads* heads) {
  std::istringstream in(line);
  std::string word;
  std::string folder;
  in >> word;
  if (word == "counter") return static_cast<bool>(in >> heads->counter);
  if (word == "time") return static_cast<bool>(in >> heads->time_us);
  if (word == "key") return in >> folder && record::FromHex(folder, heads->key);
  if ((word != "day" && word != "gone") || !(in >> folder)) return false;
  const auto id = PartitionId::Parse(folder);
  ChainEnd end;
  if (!id || !TakeEnd(in, &end)) return false;
  if (word == "gone") {
    Tombstone stone{end, 0, {}};
    if (!(in >> stone.time_us)) return false;
    std::getline(in >> std::ws, stone.why);
    return heads->gone.emplace(*id, std::move(stone)).second;
  }
  std::vector<ChainEnd> ends;
  do {
    ends.push_back(end);
  } while (TakeEnd(in, &end));
  return in.eof() && heads->days.emplace(*id, std::move(ends)).second;
}

}  // namespace

std::string Heads::Text() const {
  std::ostringstream out;
  out << kFirstLine << "\ncounter " << counter << "\ntime " << time_us << "\nkey " << record::Hex(key)
      << "\n";
  for (const auto& [id, ends] : days) {
    out << "day " << id.FolderName();
    for (const ChainEnd& e : ends) PutEnd(out, e);
    out << "\n";
  }
  for (const auto& [id, stone] : gone) {
    out << "gone " << id.FolderName();
    PutEnd(out, stone.end);
    out << " " << stone.time_us << " " << stone.why << "\n";
  }
  return out.str();
}

std::optional<Heads> ReadHeads(const std::string& text, std::string* error) {
  const size_t at = text.rfind("signature ");
  record::Signature signature{};
  if (!text.starts_with(kFirstLine) || at == std::string::npos || text.empty() || text.back() != '\n' ||
      !record::FromHex(std::string_view(text).substr(at + 10, text.size() - at - 11), signature)) {
    *error = "the signed heads are not whole";
    return std::nullopt;
  }
  const std::string body = text.substr(0, at);
  Heads heads;
  std::istringstream in(body);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    if (!TakeLine(line, &heads)) {
      *error = "the signed heads have a line that cannot be read: " + line.substr(0, 60);
      return std::nullopt;
    }
  }
  if (!record::VerifySignature(heads.key, body, signature)) {
    *error = "the signature of the heads does not hold";
    return std::nullopt;
  }
  return heads;
}

std::unique_ptr<HeadsFile> HeadsFile::Open(const std::string& dir, const std::string& key_path,
                                           std::string* error) {
  auto file = std::make_unique<HeadsFile>();
  file->path_ = dir + "/HEADS";
  file->witness_ = key_path + ".witness";
  file->key_ = record::SigningKey::LoadOrMake(key_path, error);
  if (!file->key_) return nullptr;
  uint64_t witnessed = 0;  // the last counter, kept beside the key
  std::ifstream(file->witness_) >> witnessed;
  std::ifstream in(file->path_, std::ios::binary);
  file->missing_ = !in;
  if (in) {
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    auto heads = ReadHeads(text, &file->forged_);
    if (heads && heads->key != file->key_->public_key()) {
      file->forged_ = "the heads are signed with another key";
    } else if (heads && heads->counter < witnessed) {
      file->forged_ = "the heads are an old copy: counter " + std::to_string(heads->counter) + ", but " +
                      std::to_string(witnessed) + " was signed already";
    }
    if (file->forged_.empty()) file->heads_ = std::move(*heads);
  } else if (witnessed > 0) {
    file->forged_ = "the file HEADS is missing, though heads were signed";
  }
  file->heads_.counter = std::max(file->heads_.counter, witnessed);
  return file;
}

bool HeadsFile::Write(WallTime now) {
  Heads next = heads_;
  ++next.counter;
  next.time_us = UnixMicros(now);
  next.key = key_->public_key();
  const std::string body = next.Text();
  const auto signature = key_->Sign(body);
  if (!signature || !record::ReplaceFile(path_, body + "signature " + record::Hex(*signature) + "\n", 0640))
    return false;
  // The file first: a witness of a statement that was never written would be a false alarm.
  if (!record::ReplaceFile(
          witness_, std::to_string(next.counter) + " " + record::Hex(record::Sha256(AsBytes(body))) + "\n",
          0640)) {
    return false;
  }
  heads_ = std::move(next);
  missing_ = false;
  return true;
}

}  // namespace sekisho::lookups
