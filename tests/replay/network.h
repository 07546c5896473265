// ScriptedNetwork: the authoritative servers of a scenario: honest ones made of zones, with habits, and
// single answers that are replaced by others.
//
// What happens to one upstream query is a list of deliveries, each after a delay: a packet or a failure. No
// delivery is silence.
//
// Threads: one. Limits: for tests.
#ifndef SEKISHO_TESTS_REPLAY_NETWORK_H_
#define SEKISHO_TESTS_REPLAY_NETWORK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/base/now.h"
#include "proto/dns/message.h"
#include "resolver/core/core.h"
#include "tests/replay/zone.h"

namespace sekisho::replay {

struct Delivery {
  Duration after{};
  std::optional<resolver::UpstreamFailure> failure;
  std::vector<uint8_t> packet;
};

// What a Core's upstream queries meet.
class Network {
 public:
  virtual ~Network() = default;
  virtual std::vector<Delivery> OnQuery(const resolver::OutboundQuery& query) = 0;
};

enum class EdnsHabit : uint8_t { kNormal, kFormErr, kNotImp, kBadVers, kDrop, kNoOpt };
// kWrong: spoils ours; kAlwaysBad: BADCOOKIE whatever comes, over TCP too; kFormErr:
// chokes on the option; kDrop: silent when it sees one.
enum class CookieHabit : uint8_t { kNone, kNormal, kRequired, kWrong, kAlwaysBad, kFormErr, kDrop };
enum class TcpHabit : uint8_t { kNormal, kRefuse, kClose, kSilent };

struct ServerHabits {
  Duration delay = std::chrono::milliseconds(10);
  bool down = false;          // silence
  bool unreachable = false;   // ICMP, or connection refused
  bool lowercase = false;     // echoes the question in lower case
  bool recursive = false;     // RA set, AA clear
  bool lame = false;          // REFUSED whatever is asked
  bool denies_empty = false;  // NXDOMAIN for names without records of their own
  uint16_t udp_size = 1232;
  EdnsHabit edns = EdnsHabit::kNormal;
  TcpHabit tcp = TcpHabit::kNormal;
  CookieHabit cookies = CookieHabit::kNone;
};

// One message, as it is to be put together; by default an honest reply to the query.
struct ReplyPlan {
  enum class Kind : uint8_t { kMessage, kFailure, kHex };
  Kind kind = Kind::kMessage;
  Duration after = std::chrono::milliseconds(10);
  resolver::UpstreamFailure failure = resolver::UpstreamFailure::kUnreachable;
  std::vector<uint8_t> raw;

  bool from_zone = false;  // begin with what the server's zones say
  std::optional<dns::Rcode> rcode;
  std::optional<bool> aa;
  bool tc = false, ra = false, opt = true;
  bool lowercase = false;
  // Damage.
  bool query_bit = false;  // QR clear
  uint16_t id_xor = 0;
  std::optional<uint8_t> opcode;
  std::optional<dns::Name> qname;
  std::optional<dns::RRType> qtype;
  std::optional<uint16_t> qclass;
  std::optional<uint16_t> qdcount, ancount;
  bool question = true;
  std::vector<uint8_t> cookie;  // option data, after the query's own 8 bytes
  std::optional<size_t> cut;    // bytes kept
  size_t pad = 0;               // bytes added
  // Records as text: "$Q" stands for the query's name, "[1-9]" for a record each.
  std::vector<std::pair<dns::Section, std::string>> records;
};

// Replaces the answers to matching queries. The first that matches is used.
struct Override {
  std::optional<dns::Name> name;  // none: any
  bool subtree = false;
  std::optional<dns::RRType> type;
  std::optional<bool> tcp;
  std::optional<bool> edns;
  int first = 1, last = 1 << 30;  // which of the queries that match
  std::vector<ReplyPlan> replies;
  int seen = 0;
};

// "n[1-3].test" as three lines; a line without a range as itself.
std::vector<std::string> ExpandRange(const std::string& line);

class ScriptedNetwork final : public Network {
 public:
  std::vector<Delivery> OnQuery(const resolver::OutboundQuery& query) override;

  // A zone replaces an older one of the same origin on those servers.
  void ServeZone(std::shared_ptr<const Zone> zone, const std::vector<IpAddress>& servers);
  void DropZone(const dns::Name& origin);
  ServerHabits& Habits(const IpAddress& server) { return servers_[server].habits; }
  void AddOverride(const IpAddress& server, Override o) {
    servers_[server].overrides.push_back(std::move(o));
  }
  void ClearOverrides(const IpAddress& server) { servers_[server].overrides.clear(); }
  // What went wrong inside the scripts (a record that does not parse).
  const std::vector<std::string>& errors() const { return errors_; }

 private:
  struct Server {
    ServerHabits habits;
    std::map<std::string, std::shared_ptr<const Zone>> zones;  // by lower-cased origin
    std::vector<Override> overrides;
  };

  const Zone* ZoneFor(const Server& server, dns::NameView qname, dns::RRType qtype) const;
  ZoneReply Honest(const Server& server, dns::NameView qname, dns::RRType qtype) const;
  std::vector<Delivery> ByHabit(const Server& server, const resolver::OutboundQuery& query,
                                const dns::ParsedMessage& message) const;
  Delivery Make(const Server& server, const ReplyPlan& plan, const resolver::OutboundQuery& query,
                const dns::ParsedMessage& message);
  std::vector<uint8_t> Write(const Server& server, const ReplyPlan& plan,
                             const resolver::OutboundQuery& query, const dns::ParsedMessage& message);

  std::map<IpAddress, Server> servers_;
  std::vector<std::string> errors_;
};

// The wire form of a reply to `query`, cut with TC where it is longer than `limit`.
std::vector<uint8_t> WriteReply(const dns::ParsedMessage& query, dns::NameView qname, const ZoneReply& reply,
                                bool ra, bool with_opt, size_t limit, std::vector<uint8_t> cookie = {});

}  // namespace sekisho::replay

#endif  // SEKISHO_TESTS_REPLAY_NETWORK_H_
