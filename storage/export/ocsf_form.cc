// Payload := one JSON object (RFC 8259) without line ends: an event of OCSF's class dns_activity for a
// lookup, of the base class for a gap.
#include <array>
#include <charconv>

#include "proto/base/bytes.h"
#include "proto/dns/presentation.h"
#include "storage/export/row_form.h"
#include "storage/query/row_text.h"
#include "storage/query/value_names.h"

namespace sekisho::exports {
namespace {

using record::Action;
using record::LookupRecord;

// JSON by hand: a document tree of a hundred nodes for each lookup costs ten times the time.
class Json {
 public:
  explicit Json(std::string* out) : out_(*out) {}

  Json& Open(std::string_view key = {}, char bracket = '{') {
    Key(key);
    out_ += bracket;
    first_ = true;
    return *this;
  }
  Json& Close(char bracket = '}') {
    out_ += bracket;
    first_ = false;
    return *this;
  }
  // `text` is valid UTF-8.
  Json& Text(std::string_view key, std::string_view text) {
    Key(key);
    Quoted(text);
    return *this;
  }
  Json& Number(std::string_view key, int64_t value) {
    Key(key);
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
    out_.append(digits.data(), static_cast<size_t>(end - digits.data()));
    return *this;
  }

 private:
  void Key(std::string_view key) {
    if (!first_) out_ += ',';
    first_ = false;
    if (key.empty()) return;
    Quoted(key);
    out_ += ':';
  }
  void Quoted(std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    out_ += '"';
    for (const char c : text) {
      const auto byte = static_cast<uint8_t>(c);
      if (c == '"' || c == '\\') {
        out_ += '\\';
        out_ += c;
      } else if (byte < 0x20 || byte == 0x7f) {
        out_ += "\\u00";
        out_ += kHex[byte >> 4];
        out_ += kHex[byte & 15];
      } else {
        out_ += c;
      }
    }
    out_ += '"';
  }

  std::string& out_;
  bool first_ = true;
};

// The class's captions of response codes; 99 and "Other" for those it has none for.
struct RcodeWord {
  int id;
  std::string_view word;
};
RcodeWord WordOf(dns::Rcode rcode) {
  static constexpr std::string_view kWords[] = {"NoError", "FormError", "ServError", "NXDomain",
                                                "NotImp",  "Refused",   "YXDomain",  "YXRRSet",
                                                "NXRRSet", "NotAuth",   "NotZone",   "DSOTYPENI"};
  const auto value = static_cast<size_t>(rcode);
  if (value < std::size(kWords)) return {static_cast<int>(value), kWords[value]};
  constexpr int kBadVers = 16;
  constexpr int kBadCookie = 23;
  if (value == kBadVers) return {kBadVers, "BADVERS"};
  if (value == kBadCookie) return {kBadCookie, "BADCOOKIE"};
  return {99, "Other"};
}

template <size_t kCount>
std::string_view Word(const std::string_view (&names)[kCount], uint8_t value) {
  return value < kCount ? names[value] : "unknown";
}

struct Verdict {
  int disposition_id;
  std::string_view disposition;
  int action_id;
  std::string_view action;
};
Verdict VerdictOf(Action a) {
  switch (a) {
    case Action::kNone:
    case Action::kAllow:
    case Action::kPassthru:
      return {1, "Allowed", 1, "Allowed"};
    case Action::kLogOnly:
      return {17, "Logged", 3, "Observed"};
    case Action::kDrop:
      return {6, "Dropped", 2, "Denied"};
    default:
      return {2, "Blocked", 2, "Denied"};
  }
}

class OcsfForm final : public RowForm {
 public:
  explicit OcsfForm(const Identity& identity) : identity_(identity) {}

  void Row(const LookupRecord& r, std::vector<Payload>* out) override {
    const Verdict verdict = VerdictOf(r.action);
    const bool denied = verdict.action_id == 2;
    Payload payload{{}, r.time, denied};
    payload.bytes.reserve(1024);
    Json j(&payload.bytes);
    j.Open();
    j.Number("class_uid", 4003).Text("class_name", "DNS Activity");
    j.Number("category_uid", 4).Text("category_name", "Network Activity");
    j.Number("activity_id", 6).Text("activity_name", "Traffic");
    j.Number("type_uid", 400306).Text("type_name", "DNS Activity: Traffic");
    j.Number("severity_id", denied ? 3 : 1).Text("severity", denied ? "Medium" : "Informational");
    const int64_t asked = UnixMicros(r.time) / 1000;
    j.Number("time", asked);
    const bool answered = (r.flags & record::kFlagAnswered) != 0;
    j.Number("status_id", answered ? 1 : 2).Text("status", answered ? "Success" : "Failure");
    Metadata(j, LookupId(r), r.agency, true);
    j.Open("src_endpoint").Text("ip", r.client.address.ToString()).Number("port", r.client.port).Close();
    j.Open("device").Text("hostname", identity_.host).Number("type_id", 1).Close();
    Connection(j, r);
    j.Open("query").Text("hostname", r.qname.ToString()).Text("type", dns::ToString(r.qtype));
    j.Text("class", dns::ToString(r.qclass)).Number("opcode_id", 0).Close();
    const RcodeWord rcode = WordOf(r.rcode);
    j.Number("rcode_id", rcode.id).Text("rcode", rcode.word);
    j.Number("query_time", asked);
    if (answered) j.Number("response_time", (UnixMicros(r.time) + r.latency_us) / 1000);
    j.Number("duration", r.latency_us / 1000);
    Answers(j, r);
    j.Number("disposition_id", verdict.disposition_id).Text("disposition", verdict.disposition);
    j.Number("action_id", verdict.action_id).Text("action", verdict.action);
    if (r.trigger != record::Trigger::kNone) Rule(j, r);
    Unmapped(j, r);
    j.Close();
    out->push_back(std::move(payload));
  }

  void Gap(uint64_t lookups, std::string_view why, WallTime now, std::vector<Payload>* out) override {
    Payload payload{{}, now, true};
    Json j(&payload.bytes);
    j.Open();
    j.Number("class_uid", 0).Text("class_name", "Base Event");
    j.Number("category_uid", 0).Text("category_name", "Uncategorized");
    j.Number("activity_id", 99).Text("activity_name", "Gap").Number("type_uid", 99);
    j.Number("severity_id", 3).Text("severity", "Medium").Number("time", UnixMicros(now) / 1000);
    j.Number("count", static_cast<int64_t>(lookups));
    j.Text("message", std::to_string(lookups) + " lookups are missing here: " + std::string(why));
    Metadata(j, {}, {}, false);
    j.Close();
    out->push_back(std::move(payload));
  }

 private:
  void Metadata(Json& j, const std::string& id, const std::string& agency, bool controls) const {
    j.Open("metadata").Text("version", "1.3.0");
    if (!id.empty()) j.Text("uid", id);
    if (!agency.empty()) j.Text("tenant_uid", query::PrintableUtf8(agency));
    if (controls) j.Open("profiles", '[').Text({}, "security_control").Close(']');
    j.Open("product").Text("name", "Sekisho").Text("vendor_name", "Sekisho");
    j.Text("version", identity_.version).Close().Close();
  }

  static void Connection(Json& j, const LookupRecord& r) {
    const bool udp = r.transport == record::Transport::kUdp || r.transport == record::Transport::kQuic;
    j.Open("connection_info").Number("direction_id", 1).Text("direction", "Inbound");
    j.Number("protocol_num", udp ? 17 : 6).Text("protocol_name", udp ? "udp" : "tcp").Close();
  }

  static void Answers(Json& j, const LookupRecord& r) {
    j.Open("answers", '[');
    for (const record::AnswerItem& item : r.answers) {
      j.Open().Text("type", dns::ToString(item.type)).Text("class", dns::ToString(r.qclass));
      j.Text("rdata", query::PrintableUtf8(dns::RdataToText(item.type, AsBytes(item.rdata)))).Close();
    }
    j.Close(']');
  }

  static void Rule(Json& j, const LookupRecord& r) {
    const std::string name = r.trigger_name.view().Suffix(r.rule_labels).ToString();
    j.Open("firewall_rule").Text("name", r.rule_subtree ? "*." + name : name);
    j.Text("type", query::PrintableUtf8(r.feeds)).Text("category", query::PrintableUtf8(r.category));
    j.Text("condition", Word(query::kTriggerNames, static_cast<uint8_t>(r.trigger)));
    j.Text("match_details", r.trigger_name.ToString()).Number("version", static_cast<int64_t>(r.generation));
    j.Close();
  }

  // What the class has no field for.
  static void Unmapped(Json& j, const LookupRecord& r) {
    j.Open("unmapped");
    j.Text("transport", Word(query::kTransportNames, static_cast<uint8_t>(r.transport)));
    j.Text("origin", Word(query::kOriginNames, static_cast<uint8_t>(r.origin)));
    j.Text("security", Word(query::kSecurityNames, static_cast<uint8_t>(r.security)));
    j.Text("policy_action", Word(query::kActionNames, static_cast<uint8_t>(r.action)));
    if (r.ede != 0xffff) j.Number("ede", r.ede);
    j.Number("response_size", r.response_size);
    if (r.answers_cut > 0) j.Number("answers_cut", r.answers_cut);
    j.Close();
  }

  Identity identity_;
};

}  // namespace

std::unique_ptr<RowForm> MakeOcsfForm(const Identity& identity) {
  return std::make_unique<OcsfForm>(identity);
}

}  // namespace sekisho::exports
