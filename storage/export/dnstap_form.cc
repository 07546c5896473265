// Payload := the protobuf message dnstap.Dnstap; for each lookup a CLIENT_QUERY and, unless nothing was sent,
// a CLIENT_RESPONSE.
#include <array>

#include "proto/base/bytes.h"
#include "proto/dns/builder.h"
#include "proto/schema/dnstap.pb.h"
#include "storage/export/row_form.h"

namespace sekisho::exports {
namespace {

using record::Action;
using record::LookupRecord;
using record::Trigger;

bool Blocked(Action a) {
  return a == Action::kNxdomain || a == Action::kNodata || a == Action::kSinkhole || a == Action::kRefused ||
         a == Action::kDrop || a == Action::kTcpOnly;
}

dnstap::SocketProtocol Protocol(record::Transport t) {
  switch (t) {
    case record::Transport::kTcp:
      return dnstap::TCP;
    case record::Transport::kTls:
      return dnstap::DOT;
    case record::Transport::kHttps:
      return dnstap::DOH;
    case record::Transport::kQuic:
      return dnstap::DOQ;
    default:
      return dnstap::UDP;
  }
}

std::string Text(std::span<const uint8_t> bytes) { return std::string(AsText(bytes)); }

dnstap::Policy::Action ActionOf(Action a) {
  switch (a) {
    case Action::kNxdomain:
      return dnstap::Policy::NXDOMAIN;
    case Action::kNodata:
      return dnstap::Policy::NODATA;
    case Action::kDrop:
      return dnstap::Policy::DROP;
    case Action::kTcpOnly:
      return dnstap::Policy::TRUNCATE;
    case Action::kSinkhole:
    case Action::kRefused:
      return dnstap::Policy::LOCAL_DATA;
    default:
      return dnstap::Policy::PASS;
  }
}

dnstap::Policy::Match MatchOf(Trigger t) {
  switch (t) {
    case Trigger::kClient:
      return dnstap::Policy::CLIENT_IP;
    case Trigger::kAnswerAddress:
      return dnstap::Policy::RESPONSE_IP;
    case Trigger::kNsName:
      return dnstap::Policy::NS_NAME;
    case Trigger::kNsAddress:
      return dnstap::Policy::NS_IP;
    default:
      return dnstap::Policy::QNAME;
  }
}

class DnstapForm final : public RowForm {
 public:
  explicit DnstapForm(const Identity& identity) : identity_(identity), buffer_(65'535) {}

  void Row(const LookupRecord& r, std::vector<Payload>* out) override {
    dnstap::Dnstap tap = Start();
    tap.set_extra("lookup=" + LookupId(r) + " agency=" + r.agency);
    dnstap::Message* m = tap.mutable_message();
    m->set_type(dnstap::Message::CLIENT_QUERY);
    m->set_socket_family(r.client.address.is_v4() ? dnstap::INET : dnstap::INET6);
    m->set_socket_protocol(Protocol(r.transport));
    m->set_query_address(Text(r.client.address.bytes()));
    m->set_query_port(r.client.port);
    const int64_t asked = UnixMicros(r.time);
    m->set_query_time_sec(static_cast<uint64_t>(asked / 1'000'000));
    m->set_query_time_nsec(static_cast<uint32_t>(asked % 1'000'000 * 1000));
    m->set_query_message(Text(QueryMessage(r)));
    out->push_back({tap.SerializeAsString(), r.time, false});
    if ((r.flags & record::kFlagAnswered) == 0) return;
    m->set_type(dnstap::Message::CLIENT_RESPONSE);
    m->clear_query_message();
    const int64_t answered = asked + r.latency_us;
    m->set_response_time_sec(static_cast<uint64_t>(answered / 1'000'000));
    m->set_response_time_nsec(static_cast<uint32_t>(answered % 1'000'000 * 1000));
    m->set_response_message(Text(ResponseMessage(r)));
    if (r.action != Action::kNone) SetPolicy(r, m->mutable_policy());
    out->push_back({tap.SerializeAsString(), r.time, Blocked(r.action)});
  }

  // Readers of dnstap know no such thing, so it rides in `extra` of a payload without a message of its own.
  void Gap(uint64_t lookups, std::string_view why, WallTime now, std::vector<Payload>* out) override {
    dnstap::Dnstap tap = Start();
    tap.set_extra("missing=" + std::to_string(lookups) + " why=" + std::string(why));
    dnstap::Message* m = tap.mutable_message();
    m->set_type(dnstap::Message::CLIENT_QUERY);
    m->set_query_time_sec(static_cast<uint64_t>(UnixMicros(now) / 1'000'000));
    m->set_query_time_nsec(static_cast<uint32_t>(UnixMicros(now) % 1'000'000 * 1000));
    out->push_back({tap.SerializeAsString(), now, true});
  }

 private:
  dnstap::Dnstap Start() const {
    dnstap::Dnstap tap;
    tap.set_type(dnstap::Dnstap::MESSAGE);
    tap.set_identity(identity_.host);
    tap.set_version("sekisho " + identity_.version);
    return tap;
  }

  static void SetPolicy(const LookupRecord& r, dnstap::Policy* policy) {
    policy->set_type(r.feeds);
    policy->set_rule(Text(r.trigger_name.view().Suffix(r.rule_labels).bytes()));
    policy->set_action(ActionOf(r.action));
    policy->set_match(MatchOf(r.trigger));
    policy->set_value(Text(r.trigger_name.bytes()));
  }

  std::span<const uint8_t> QueryMessage(const LookupRecord& r) {
    dns::MessageBuilder b(buffer_, buffer_.size());
    dns::Header h;
    h.rd = (r.flags & record::kFlagRd) != 0;
    h.cd = (r.flags & record::kFlagCd) != 0;
    h.ad = (r.flags & record::kFlagAdAsked) != 0;
    b.Begin(h);
    b.AddQuestion(r.qname, r.qtype, r.qclass);
    dns::EdnsOut edns;
    edns.dnssec_ok = (r.flags & record::kFlagDo) != 0;
    return b.Finish(dns::Rcode::kNoError, (r.flags & record::kFlagEdns) != 0 ? &edns : nullptr);
  }

  std::span<const uint8_t> ResponseMessage(const LookupRecord& r) {
    dns::MessageBuilder b(buffer_, buffer_.size());
    dns::Header h;
    h.qr = true;
    h.ra = true;
    h.rd = (r.flags & record::kFlagRd) != 0;
    h.cd = (r.flags & record::kFlagCd) != 0;
    h.tc = (r.flags & record::kFlagTc) != 0;
    h.ad = (r.flags & record::kFlagAd) != 0;
    b.Begin(h);
    b.AddQuestion(r.qname, r.qtype, r.qclass);
    dns::EdnsOut edns;
    edns.dnssec_ok = (r.flags & record::kFlagDo) != 0;
    if (r.ede != 0xffff) edns.errors.push_back({static_cast<dns::EdeCode>(r.ede), {}});
    const bool with_opt = (r.flags & record::kFlagEdns) != 0;
    if (with_opt) b.ReserveForOpt(edns);
    dns::Name owner = r.qname;
    for (const record::AnswerItem& item : r.answers) {
      if (Blocked(r.action)) break;
      if (item.type == dns::RRType::kDNAME) continue;
      b.AddRecord(dns::Section::kAnswer, owner, item.type, r.qclass, 0, AsBytes(item.rdata));
      if (item.type != dns::RRType::kCNAME) continue;
      if (auto target = dns::Name::FromWire(AsBytes(item.rdata))) owner = *target;
    }
    return b.Finish(r.rcode, with_opt ? &edns : nullptr);
  }

  Identity identity_;
  std::vector<uint8_t> buffer_;
};

}  // namespace

std::string LookupId(const LookupRecord& r) {
  return std::to_string(r.node) + "-" + std::to_string(r.boot) + "-" + std::to_string(r.worker) + "-" +
         std::to_string(r.sequence);
}

std::unique_ptr<RowForm> MakeDnstapForm(const Identity& identity) {
  return std::make_unique<DnstapForm>(identity);
}

}  // namespace sekisho::exports
