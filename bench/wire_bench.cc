// wire_bench: the wire parser and builder beside ldns on the same packets; one JSON object a line (times:
// best of five rounds, thread CPU time).
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "proto/dns/builder.h"
#include "proto/dns/message.h"
#include "proto/dns/name_key.h"
// Last, for it defines bool and false as macros.
#include <ldns/ldns.h>

namespace sekisho::dns {
namespace {

double CpuNanos() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

template <typename F>
double Best(int n, F f) {
  double best = 1e18;
  for (int round = 0; round < 5; ++round) {
    const double start = CpuNanos();
    for (int i = 0; i < n; ++i) f();
    best = std::min(best, (CpuNanos() - start) / n);
  }
  return best;
}

void Print(const char* name, double ns) {
  std::printf("{\"bench\":\"wire\",\"case\":\"%s\",\"value\":%.1f,\"unit\":\"ns\"}\n", name, ns);
}

std::vector<uint8_t> MakeQuery() {
  std::array<uint8_t, 512> buffer;
  MessageBuilder b(buffer, 512);
  Header h;
  h.rd = true;
  b.Begin(h);
  b.AddQuestion(*Name::Parse("www.example.test"), RRType::kA, RRClass::kIN);
  EdnsOut edns;
  edns.dnssec_ok = true;
  const auto wire = b.Finish(Rcode::kNoError, &edns);
  return {wire.begin(), wire.end()};
}

RRset Servers() {
  RRset set;
  set.owner = *Name::Parse("test");
  set.type = RRType::kNS;
  for (char c = 'a'; c <= 'm'; ++c)
    set.rdata.Add(Name::Parse(std::string(1, c) + ".root-servers.test")->bytes());
  return set;
}

size_t BuildReferral(std::span<uint8_t> buffer, const RRset& ns, const std::vector<RRset>& glue,
                     const Name& qname) {
  MessageBuilder b(buffer, 4096);
  Header h;
  h.qr = true;
  b.Begin(h);
  b.AddQuestion(qname, RRType::kA, RRClass::kIN);
  b.AddRRset(Section::kAuthority, ns, 172800, true);
  for (const RRset& g : glue) b.AddRRset(Section::kAdditional, g, 172800, true);
  return b.Finish(Rcode::kNoError, nullptr).size();
}

void ParseBoth(const char* name, const std::vector<uint8_t>& wire, int n) {
  ParsedMessage m;
  size_t good = 0;
  Print((std::string("parse_") + name).c_str(), Best(n, [&] { good += m.Parse(wire) == ParseError::kNone; }));
  if (good == 0) std::fprintf(stderr, "%s: not parsed\n", name);
  Print((std::string("ldns_parse_") + name).c_str(), Best(std::max(1, n / 20), [&] {
          ldns_pkt* p = nullptr;
          if (ldns_wire2pkt(&p, wire.data(), wire.size()) == LDNS_STATUS_OK) ldns_pkt_free(p);
        }));
}

// 64 KB: opaque RDATA full of pointers, each to the one before, then owners that lead into them.
std::vector<uint8_t> MakeHostile() {
  std::vector<uint8_t> w = {0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x78, 0, 1, 0, 0, 0, 0, 1, 0};
  const auto u16 = [&](size_t v) {
    w.push_back(static_cast<uint8_t>(v >> 8));
    w.push_back(static_cast<uint8_t>(v));
  };
  w[12] = 0;
  const size_t base = w.size();
  w.push_back(0);
  w.push_back(0);
  for (size_t i = 1; i < 126; ++i) u16(0xc000 | (i == 1 ? base : base + 2 * (i - 1)));
  w.resize(base + 256, 0);
  size_t records = 1;
  for (; w.size() + 12 <= 65535; ++records) {
    u16(0xc000 | (base + 2 * 125 - 2 * (records % 60)));
    for (const int b : {0xff, 0x78, 0, 1, 0, 0, 0, 0, 0, 0}) w.push_back(static_cast<uint8_t>(b));
  }
  w[6] = static_cast<uint8_t>(records >> 8);
  w[7] = static_cast<uint8_t>(records);
  return w;
}

void Run() {
  const auto query = MakeQuery();
  const RRset ns = Servers();
  const Name qname = *Name::Parse("www.example.test");
  std::vector<RRset> glue;
  for (const auto target : ns.rdata) {
    RRset g;
    g.owner = *Name::FromWire(target);
    g.type = RRType::kA;
    g.rdata.Add(std::vector<uint8_t>{192, 0, 2, 1});
    glue.push_back(std::move(g));
  }
  std::array<uint8_t, 4096> buffer;
  const size_t size = BuildReferral(buffer, ns, glue, qname);
  const std::vector<uint8_t> referral(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
  ParseBoth("query", query, 200000);
  ParseBoth("referral_13ns", referral, 50000);
  ParseBoth("hostile_64k", MakeHostile(), 200);
  size_t sum = 0;
  Print("build_referral_13ns", Best(50000, [&] { sum += BuildReferral(buffer, ns, glue, qname); }));
  ldns_pkt* p = nullptr;
  if (ldns_wire2pkt(&p, referral.data(), referral.size()) == LDNS_STATUS_OK) {
    Print("ldns_build_referral_13ns", Best(2000, [&] {
            uint8_t* out = nullptr;
            size_t n = 0;
            if (ldns_pkt2wire(&out, p, &n) == LDNS_STATUS_OK) std::free(out);
            sum += n;
          }));
    ldns_pkt_free(p);
  }
  RRset answer = glue[0];
  answer.owner = qname;
  EdnsOut edns;
  Print("build_answer", Best(200000, [&] {
          MessageBuilder b(buffer, 1232);
          b.Begin(Header());
          b.AddQuestion(qname, RRType::kA, RRClass::kIN);
          b.ReserveForOpt(edns);
          b.AddRRset(Section::kAnswer, answer, 300, false);
          sum += b.Finish(Rcode::kNoError, &edns).size();
        }));
  ParsedMessage m;
  if (m.Parse(referral) == ParseError::kNone) {
    Print("collect_referral_13ns",
          Best(20000, [&] { sum += CollectRRsets(m, Section::kAdditional, RRClass::kIN).size(); }));
  }
  char key[kMaxNameKeySize];
  Print("name_key", Best(500000, [&] { sum += WriteNameKey(qname, key); }));
  if (sum == 0) std::fprintf(stderr, "nothing was built\n");
}

}  // namespace
}  // namespace sekisho::dns

int main() { sekisho::dns::Run(); }
