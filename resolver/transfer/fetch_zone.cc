#include "resolver/transfer/fetch_zone.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/dns/builder.h"
#include "proto/dns/master_file.h"
#include "proto/dns/rdata.h"
#include "proto/io/socket.h"
#include "proto/io/unique_fd.h"
#include "resolver/transfer/transfer_reader.h"
#include "resolver/transfer/zone_file_writer.h"

namespace sekisho::resolver {
namespace {

using dns::RRType;
using dns::TextRecord;

// One question to a primary and the messages that it answers with.
class Exchange {
 public:
  Exchange(const TransferSource& source, const Endpoint& primary, Rng& rng, int stop_fd)
      : source_(source),
        primary_(primary),
        rng_(rng),
        stop_fd_(stop_fd),
        end_(ReadClocks().mono + kTransferTotalTime) {
    if (source.key) tsig_.emplace(*source.key);
  }

  // `soa`: of the zone in hand, for IXFR.
  absl::Status Ask(RRType type, const TextRecord* soa) {
    if (io::ConnectTcp(primary_, &fd_) != io::ConnectOutcome::kOk) return Failed("cannot connect");
    if (auto s = Wait(POLLOUT, kTransferConnectTime, "does not answer"); !s.ok()) return s;
    if (const int error = io::PendingError(fd_.get()); error != 0) return Failed(std::strerror(error));
    std::vector<uint8_t> query(2048);
    dns::MessageBuilder b(query, query.size());
    dns::Header header;
    id_ = header.id = static_cast<uint16_t>(rng_.Uint64());
    type_ = type;
    b.Begin(header);
    b.AddQuestion(source_.origin, type, dns::RRClass::kIN);
    if (soa != nullptr) {
      b.AddRecord(dns::Section::kAuthority, source_.origin, RRType::kSOA, dns::RRClass::kIN, 0,
                  AsBytes(soa->rdata));
    }
    query.resize(b.Finish(dns::Rcode::kNoError, nullptr).size());
    if (tsig_) tsig_->Sign(&query, ReadClocks().wall);
    const uint8_t size[2] = {static_cast<uint8_t>(query.size() >> 8), static_cast<uint8_t>(query.size())};
    query.insert(query.begin(), size, size + 2);
    for (size_t sent = 0; sent < query.size();) {
      if (auto s = Wait(POLLOUT, kTransferIdleTime, "takes no question"); !s.ok()) return s;
      const ssize_t n = ::write(fd_.get(), query.data() + sent, query.size() - sent);
      if (n < 0 && errno != EAGAIN && errno != EINTR) return Failed(std::strerror(errno));
      if (n > 0) sent += static_cast<size_t>(n);
    }
    return absl::OkStatus();
  }

  // The next message, valid until the next call. An RCODE other than NOERROR is an error of its own kind.
  absl::StatusOr<const dns::ParsedMessage*> Next() {
    uint8_t size[2];
    if (auto s = Read(size, 2); !s.ok()) return s;
    message_.resize(size[0] * 256u + size[1]);
    bytes_ += message_.size();
    if (bytes_ > kTransferMaxBytes) return Failed("sends more than 1 GiB");
    if (auto s = Read(message_.data(), message_.size()); !s.ok()) return s;
    if (parsed_.Parse(message_) != dns::ParseError::kNone) return Failed("sends a malformed message");
    const dns::Header& h = parsed_.header();
    const bool other_question =
        parsed_.has_question() && (!(parsed_.qname() == source_.origin.view()) || parsed_.qtype() != type_);
    if (!h.qr || h.id != id_ || h.opcode != dns::Opcode::kQuery || other_question)
      return Failed("answers another question");
    if (parsed_.rcode() != dns::Rcode::kNoError) {
      return absl::FailedPreconditionError(primary_.ToString() + ": " + dns::ToString(type_) +
                                           " is answered with " + dns::ToString(parsed_.rcode()));
    }
    if (tsig_ && tsig_->Check(message_, parsed_, ReadClocks().wall) == dns::TsigCheck::kBad)
      return Failed(tsig_->error().c_str());
    return &parsed_;
  }
  // To be asked at the end.
  absl::Status Settled() const {
    return tsig_ && !tsig_->settled() ? Failed("the last message is not signed") : absl::OkStatus();
  }
  absl::Status Failed(const char* what) const {
    return absl::UnavailableError(primary_.ToString() + ": " + what);
  }

 private:
  absl::Status Wait(short events, Duration most, const char* what) {
    const MonoTime end = std::min(end_, ReadClocks().mono + most);
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - ReadClocks().mono);
      if (left.count() <= 0) return Failed(what);
      pollfd fds[2] = {{fd_.get(), events, 0}, {stop_fd_, POLLIN, 0}};
      const int n = ::poll(fds, 2, static_cast<int>(left.count()));
      if (n < 0 && errno != EINTR) return Failed(std::strerror(errno));
      if (n > 0 && fds[1].revents != 0) return absl::CancelledError("stopping");
      if (n > 0 && fds[0].revents != 0) return absl::OkStatus();
    }
  }
  absl::Status Read(uint8_t* out, size_t size) {
    for (size_t got = 0; got < size;) {
      if (auto s = Wait(POLLIN, kTransferIdleTime, "falls silent"); !s.ok()) return s;
      const ssize_t n = ::read(fd_.get(), out + got, size - got);
      if (n == 0) return Failed("closes the connection too early");
      if (n < 0 && errno != EAGAIN && errno != EINTR) return Failed(std::strerror(errno));
      if (n > 0) got += static_cast<size_t>(n);
    }
    return absl::OkStatus();
  }

  const TransferSource& source_;
  Endpoint primary_;
  Rng& rng_;
  int stop_fd_;
  MonoTime end_;
  io::UniqueFd fd_;
  uint16_t id_ = 0;
  RRType type_ = RRType::kNone;
  uint64_t bytes_ = 0;
  std::vector<uint8_t> message_;
  dns::ParsedMessage parsed_;
  std::optional<dns::TsigSession> tsig_;
};

// Hands the records of the file in hand to `each` until that returns false. False: there is no good file.
bool ReadRecords(const std::string& path, const dns::Name& origin,
                 const std::function<bool(TextRecord)>& each) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return false;
  const std::string whole = std::move(text).str();
  dns::MasterFile file(whole, origin);
  while (auto record = file.Next()) {
    if (!each(*std::move(record))) return true;
  }
  return file.error().empty();
}

std::optional<TextRecord> SoaInHand(const std::string& path, const dns::Name& origin) {
  std::optional<TextRecord> soa;
  const bool good = ReadRecords(path, origin, [&](TextRecord record) {
    if (record.type == RRType::kSOA && record.owner == origin) soa = std::move(record);
    return !soa.has_value();
  });
  return good ? soa : std::nullopt;
}

absl::StatusOr<TextRecord> AskSoa(Exchange& exchange, const dns::Name& origin) {
  if (auto s = exchange.Ask(RRType::kSOA, nullptr); !s.ok()) return s;
  auto message = exchange.Next();
  if (!message.ok()) return message.status();
  if (auto s = exchange.Settled(); !s.ok()) return s;
  for (const dns::Record& r : (*message)->records(dns::Section::kAnswer)) {
    if (r.type != RRType::kSOA || !(*message)->OwnerIs(r, origin)) continue;
    TextRecord soa{.owner = origin, .type = r.type, .rrclass = dns::RRClass::kIN, .ttl = r.ttl, .rdata = ""};
    (*message)->AppendRdata(r, &soa.rdata);
    if (SerialOf(soa)) return soa;
  }
  return exchange.Failed("has no SOA of the zone");
}

// The file with what has changed.
absl::Status WriteChanged(const std::string& path, const dns::Name& origin, const TransferReader& reader) {
  ZoneFileWriter writer(path);
  writer.Add(*reader.soa());
  const auto& changes = reader.changes();
  size_t removed = 0;
  for (const auto& [key, change] : changes) removed += change.added ? 0 : 1;
  const bool good = ReadRecords(path, origin, [&](TextRecord record) {
    if (record.type == RRType::kSOA && record.owner == origin) return true;
    const auto change = changes.find(TransferReader::KeyOf(record));
    if (change == changes.end()) {
      writer.Add(record);
    } else if (!change->second.added && removed > 0) {
      --removed;
    }
    return true;
  });
  if (!good || removed > 0) return absl::DataLossError(path + ": is not what the changes are made for");
  for (const auto& [key, change] : changes) {
    if (change.added) writer.Add(change.record);
  }
  return writer.Commit();
}

absl::Status Transfer(const TransferSource& source, const TextRecord* have, const std::string& path,
                      Exchange& exchange) {
  if (auto s = exchange.Ask(have != nullptr ? RRType::kIXFR : RRType::kAXFR, have); !s.ok()) return s;
  TransferReader reader(source.origin, have != nullptr ? SerialOf(*have) : std::nullopt);
  std::optional<ZoneFileWriter> writer;
  reader.OnWhole([&](const TextRecord& record) {
    if (!writer) writer.emplace(path);
    writer->Add(record);
  });
  for (;;) {
    auto message = exchange.Next();
    if (!message.ok()) return message.status();
    const TransferState state = reader.Take(**message);
    if (state == TransferState::kMore) continue;
    if (state == TransferState::kFailed) return exchange.Failed(reader.error().c_str());
    if (auto s = exchange.Settled(); !s.ok()) return s;
    if (state == TransferState::kWhole) return writer->Commit();
    if (state == TransferState::kChanges) return WriteChanged(path, source.origin, reader);
    return absl::OkStatus();
  }
}

}  // namespace

absl::StatusOr<FetchedZone> FetchZone(const TransferSource& source, const Endpoint& primary,
                                      const std::string& path, Rng& rng, int stop_fd) {
  Exchange first(source, primary, rng, stop_fd);
  const auto soa = AskSoa(first, source.origin);
  if (!soa.ok()) return soa.status();
  const auto view = dns::ReadSoa(AsBytes(soa->rdata));
  FetchedZone out{.changed = false,
                  .serial = view->serial,
                  .refresh = view->refresh,
                  .retry = view->retry,
                  .expire = view->expire};
  const auto have = SoaInHand(path, source.origin);
  if (have && !SerialAfter(out.serial, *SerialOf(*have))) return out;
  out.changed = true;
  if (have) {
    Exchange exchange(source, primary, rng, stop_fd);
    const absl::Status changes = Transfer(source, &*have, path, exchange);
    if (changes.ok()) return out;
    // A primary without IXFR, or changes that do not fit: the whole zone, then.
    if (!absl::IsFailedPrecondition(changes) && !absl::IsDataLoss(changes)) return changes;
  }
  Exchange exchange(source, primary, rng, stop_fd);
  if (auto s = Transfer(source, nullptr, path, exchange); !s.ok()) return s;
  return out;
}

}  // namespace sekisho::resolver
