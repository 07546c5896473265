// Scenario: the clients, and the passing of time.
#include <algorithm>

#include "proto/dns/builder.h"
#include "tests/replay/scenario.h"

namespace sekisho::replay {
namespace {

constexpr Duration kPatience = std::chrono::seconds(15);

struct ClientPacket {
  dns::Name qname;
  dns::RRType qtype = dns::RRType::kA;
  dns::RRClass qclass = dns::RRClass::kIN;
  dns::Header header;
  bool edns = true;
  dns::EdnsOut opt;
  uint8_t edns_version = 0;
};

std::vector<uint8_t> Build(const ClientPacket& p) {
  std::vector<uint8_t> packet(1024);
  dns::MessageBuilder b(packet, packet.size());
  b.Begin(p.header);
  b.AddQuestion(p.qname, p.qtype, p.qclass);
  packet.resize(b.Finish(dns::Rcode::kNoError, p.edns ? &p.opt : nullptr).size());
  // A bare OPT is the last record: root, type, size, then extended RCODE and version.
  if (p.edns && p.opt.cookie.empty()) packet[packet.size() - 5] = p.edns_version;
  return packet;
}

std::optional<std::string> Value(const std::string& word, const std::string& key) {
  if (!word.starts_with(key + "=")) return std::nullopt;
  return word.substr(key.size() + 1);
}

}  // namespace

// ask NAME TYPE WORD… : a question (or one after the other, times=N), and time passes until it is answered.
void Scenario::Ask(const Words& w) { SendQuestions(w, true); }
// start NAME TYPE WORD… : questions (times=N) that are left in progress.
void Scenario::Start(const Words& w) { SendQuestions(w, false); }

void Scenario::NoteQuestion(size_t number, const std::string& label) {
  current_ = number;
  if (!label.empty()) labels_[label] = number;
}

// "new": only a client's part; "back": what the last reply gave; "forged": with a server's part made up.
std::vector<uint8_t> Scenario::CookieToSend(const std::string& kind) const {
  std::vector<uint8_t> cookie = {1, 2, 3, 4, 5, 6, 7, 8};
  if (kind == "forged") cookie.resize(24, 0x5a);
  dns::ParsedMessage m;
  if (kind != "back" || harness_.asked().empty() || m.Parse(Current().reply) != dns::ParseError::kNone ||
      !m.edns()) {
    return cookie;
  }
  const dns::EdnsOption* option = m.edns()->Find(dns::OptionCode::kCookie);
  if (option != nullptr) cookie.assign(option->data.begin(), option->data.end());
  return cookie;
}

void Scenario::SendQuestions(const Words& w, bool wait) {
  if (w.size() < 3) return Fail(w[0] + " NAME TYPE …");
  ClientPacket p;
  const std::string name = w[1];
  p.qtype = TypeOf(w[2]);
  p.header.rd = true;
  IpAddress from = AddressOf("192.0.2.1");
  record::Transport transport = record::Transport::kUdp;
  long times = 1;
  long clients = 1;
  Duration every{};
  std::string label;
  for (size_t i = 3; i < w.size(); ++i) {
    const std::string& word = w[i];
    if (word == "udp" || word == "tcp" || word == "tls" || word == "https") {
      transport = word == "udp"   ? record::Transport::kUdp
                  : word == "tcp" ? record::Transport::kTcp
                  : word == "tls" ? record::Transport::kTls
                                  : record::Transport::kHttps;
    } else if (word == "+do") {
      p.opt.dnssec_ok = true;
    } else if (word == "+cd") {
      p.header.cd = true;
    } else if (word == "+ad") {
      p.header.ad = true;
    } else if (word == "-rd") {
      p.header.rd = false;
    } else if (word == "+qr") {
      p.header.qr = true;
    } else if (word == "noedns") {
      p.edns = false;
    } else if (auto size = Value(word, "bufsize")) {
      p.opt.udp_size = static_cast<uint16_t>(NumberOf(*size));
    } else if (auto cookie = Value(word, "cookie")) {
      p.opt.cookie = CookieToSend(*cookie);
    } else if (auto version = Value(word, "edns-version")) {
      p.edns_version = static_cast<uint8_t>(NumberOf(*version));
    } else if (auto qclass = Value(word, "class")) {
      p.qclass = static_cast<dns::RRClass>(NumberOf(*qclass));
    } else if (auto opcode = Value(word, "opcode")) {
      p.header.opcode = static_cast<dns::Opcode>(NumberOf(*opcode));
    } else if (auto source = Value(word, "from")) {
      from = AddressOf(*source);
    } else if (auto n = Value(word, "times")) {
      times = NumberOf(*n);
    } else if (auto gap = Value(word, "every")) {
      every = DurationOf(*gap);
    } else if (auto c = Value(word, "clients")) {
      clients = NumberOf(*c);
    } else if (auto as = Value(word, "as")) {
      label = *as;
    } else {
      Fail("unknown word \"" + word + "\"");
    }
  }
  Publish();
  for (long i = 0; i < times; ++i) {
    std::string numbered = name;
    if (const size_t at = numbered.find("$N"); at != std::string::npos)
      numbered.replace(at, 2, std::to_string(i + 1));
    p.qname = NameOf(numbered);
    p.header.id = next_id_++;
    IpAddress client = from;
    if (clients > 1) client = AddressOf("192.0.2." + std::to_string(1 + i % clients % 250));
    NoteQuestion(harness_.Ask(Build(p), Endpoint{client, next_port_++}, transport), label);
    if (wait) harness_.RunUntilAnswered(current_, kPatience);
    if (every > Duration(0)) harness_.RunFor(every);
  }
}

// packet HEX : raw bytes from the usual client.
void Scenario::Packet(const Words& w) {
  std::vector<uint8_t> bytes;
  for (size_t k = 1; k < w.size(); ++k) {
    for (size_t i = 0; i + 1 < w[k].size(); i += 2)
      bytes.push_back(static_cast<uint8_t>(std::stoi(w[k].substr(i, 2), nullptr, 16)));
  }
  Publish();
  NoteQuestion(harness_.Ask(bytes, Endpoint{AddressOf("192.0.2.1"), next_port_++}, record::Transport::kUdp),
               "");
}

void Scenario::Advance(const Words& w) {
  if (w.size() != 2) return Fail("advance DURATION");
  harness_.RunFor(DurationOf(w[1]));
}

// Until nothing is in progress.
void Scenario::Settle(const Words&) {
  if (!harness_.RunUntilIdle(std::chrono::seconds(60))) Fail("the core does not come to rest");
}

// Upstream queries before this line count no more.
void Scenario::Mark(const Words&) { mark_ = harness_.upstream().size(); }

// The client of the last question goes away.
void Scenario::Leave(const Words&) {
  harness_.Leave(current_);
  ++left_;
}

}  // namespace sekisho::replay
