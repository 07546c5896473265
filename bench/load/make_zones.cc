// make_zones: writes the zones of the internet that the load runs resolve, and the questions about it.
//
//   make_zones DIR [--zones=100000] [--wide=500] [--hosts=200] [--signed-zones=20000] [--signed-wide=100]
//
// DIR/root.zone         the root, signed, with plain. (no DS) and signed. (DS); root.ds and root.hints for
// resolvers DIR/plain.zone        cN.plain. (one host each) and wN.plain. (many hosts each), on 16 addresses
// DIR/signed.zone       the same, every delegation with its DS; ECDSA P-256, NSEC
// DIR/leaf/*.zone       the zones themselves; leaf.list names them, one a line
// DIR/questions/*.txt   hits, cold, cold-signed, miss, miss-signed, nx, nx-signed, warm, warm-signed
//
// Addresses: 127.20.0.1 root, 127.20.0.2 both top-level domains, 127.20.1.1–16 the rest.
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <string>

#include "proto/dns/presentation.h"
#include "tests/signed/signed_zone.h"

namespace sekisho::bench {
namespace {

using signed_test::SignedZone;
using signed_test::ZoneOptions;

struct Sizes {
  int zones = 100'000;
  int wide = 500;
  int hosts = 200;
  int signed_zones = 20'000;
  int signed_wide = 100;
};

ZoneOptions Signed() {
  const auto now = static_cast<int64_t>(std::time(nullptr));
  ZoneOptions o;
  o.algorithm = 13;
  o.times = {.inception = now - 86400, .expiration = now + int64_t{30} * 86400};
  return o;
}

std::string Address(int zone) { return "127.20.1." + std::to_string(zone % 16 + 1); }

std::string HostAddress(int zone, int host) {
  return "198." + std::to_string(18 + zone % 2) + "." + std::to_string(zone / 2 % 256) + "." +
         std::to_string(host % 250 + 1);
}

// A zone below a top-level domain: one host named www, or h0 … hN.
struct Leaf {
  std::string apex;
  int number = 0;
  int hosts = 1;
  std::string Host(int i) const { return (hosts == 1 ? "www" : "h" + std::to_string(i)) + "." + apex; }
};

class Writer {
 public:
  Writer(std::string dir, Sizes sizes) : dir_(std::move(dir)), sizes_(sizes), list_(dir_ + "/leaf.list") {}

  void Write() {
    SignedZone root(".", Signed());
    SignedZone tld("signed.", Signed());
    root.Add("ns. 3600 IN A 127.20.0.1");
    tld.Add("ns.signed. 3600 IN A 127.20.0.2");
    std::ofstream plain(dir_ + "/plain.zone");
    plain << "plain. 3600 IN SOA ns.plain. admin.plain. 1 3600 600 86400 300\nplain. 3600 IN NS ns.plain.\n"
          << "ns.plain. 3600 IN A 127.20.0.2\nready.plain. 3600 IN A 198.18.0.1\n";
    for (int i = 0; i < sizes_.zones; ++i) WritePlain({"c" + std::to_string(i) + ".plain.", i}, plain);
    for (int i = 0; i < sizes_.wide; ++i)
      WritePlain({"w" + std::to_string(i) + ".plain.", i, sizes_.hosts}, plain);
    for (int i = 0; i < sizes_.signed_zones; ++i)
      WriteSigned({"c" + std::to_string(i) + ".signed.", i}, &tld);
    for (int i = 0; i < sizes_.signed_wide; ++i) {
      WriteSigned({"w" + std::to_string(i) + ".signed.", i, sizes_.hosts}, &tld);
    }
    tld.Sign();
    std::ofstream(dir_ + "/signed.zone") << tld.ToText();
    root.Delegate(tld);
    root.Add("ns.signed. 3600 IN A 127.20.0.2");
    root.Add("plain. 3600 IN NS ns.plain.");
    root.Add("ns.plain. 3600 IN A 127.20.0.2");
    root.Sign();
    std::ofstream(dir_ + "/root.zone") << root.ToText();
    std::ofstream(dir_ + "/root.hints") << ". 3600 IN NS ns.\nns. 3600 IN A 127.20.0.1\n";
    const std::string ds = root.key().Ds(root.apex());
    std::ofstream(dir_ + "/root.ds") << ". 3600 IN DS "
                                     << dns::RdataToText(dns::RRType::kDS, signed_test::Bytes(ds)) << "\n";
    WriteQuestions();
  }

 private:
  void WritePlain(const Leaf& leaf, std::ofstream& parent) {
    const std::string address = Address(leaf.number);
    parent << leaf.apex << " 3600 IN NS ns." << leaf.apex << "\nns." << leaf.apex << " 3600 IN A " << address
           << "\n";
    std::ofstream zone(Path(leaf));
    zone << leaf.apex << " 3600 IN SOA ns." << leaf.apex << " admin." << leaf.apex
         << " 1 3600 600 86400 300\n"
         << leaf.apex << " 3600 IN NS ns." << leaf.apex << "\nns." << leaf.apex << " 3600 IN A " << address
         << "\n";
    for (int i = 0; i < leaf.hosts; ++i)
      zone << leaf.Host(i) << " 3600 IN A " << HostAddress(leaf.number, i) << "\n";
  }

  void WriteSigned(const Leaf& leaf, SignedZone* parent) {
    const std::string glue = "ns." + leaf.apex + " 3600 IN A " + Address(leaf.number);
    SignedZone zone(leaf.apex, Signed());
    zone.Add(glue);
    for (int i = 0; i < leaf.hosts; ++i) zone.Add(leaf.Host(i) + " 3600 IN A " + HostAddress(leaf.number, i));
    zone.Sign();
    std::ofstream(Path(leaf)) << zone.ToText();
    parent->Delegate(zone);
    parent->Add(glue);
  }

  std::string Path(const Leaf& leaf) {
    list_ << leaf.apex << "\n";
    return dir_ + "/leaf/" + leaf.apex + "zone";
  }

  void Questions(const std::string& name, int zones, const std::function<std::string(int)>& question,
                 int each = 1) {
    std::ofstream out(dir_ + "/questions/" + name + ".txt");
    // Zones vary quickest, so that neighbours in the file are in different ones.
    for (int i = 0; i < zones * each; ++i) out << question(i) << " A\n";
  }

  void WriteQuestions() {
    const auto text = [](const char* kind, int zone, const char* tld) {
      return kind + std::to_string(zone) + tld;
    };
    Questions("hits", std::min(10'000, sizes_.zones), [&](int i) { return text("www.c", i, ".plain."); });
    Questions("cold", sizes_.zones, [&](int i) { return text("www.c", i, ".plain."); });
    Questions("cold-signed", sizes_.signed_zones, [&](int i) { return text("www.c", i, ".signed."); });
    const auto wide = [&](const std::string& suffix, int zones, const char* tld) {
      const auto host = [&, zones, tld](int i) {
        return "h" + std::to_string(i / zones + 1) + text(".w", i % zones, tld);
      };
      const auto none = [&, zones, tld](int i) {
        return "no" + std::to_string(i / zones) + text("-x.w", i % zones, tld);
      };
      Questions("warm" + suffix, zones, [&, tld](int i) { return text("h0.w", i, tld); });
      Questions("miss" + suffix, zones, host, sizes_.hosts - 1);
      Questions("nx" + suffix, zones, none, 1000);
    };
    wide("", sizes_.wide, ".plain.");
    wide("-signed", sizes_.signed_wide, ".signed.");
  }

  std::string dir_;
  Sizes sizes_;
  std::ofstream list_;
};

int Main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(
        stderr,
        "usage: make_zones DIR [--zones=N] [--wide=N] [--hosts=N] [--signed-zones=N] [--signed-wide=N]\n");
    return 2;
  }
  const std::string dir = argv[1];
  Sizes sizes;
  for (int i = 2; i < argc; ++i) {
    if (std::sscanf(argv[i], "--zones=%d", &sizes.zones) != 1 &&
        std::sscanf(argv[i], "--wide=%d", &sizes.wide) != 1 &&
        std::sscanf(argv[i], "--hosts=%d", &sizes.hosts) != 1 &&
        std::sscanf(argv[i], "--signed-zones=%d", &sizes.signed_zones) != 1 &&
        std::sscanf(argv[i], "--signed-wide=%d", &sizes.signed_wide) != 1) {
      std::fprintf(stderr, "make_zones: unknown option %s\n", argv[i]);
      return 2;
    }
  }
  for (const char* sub : {"", "/leaf", "/questions"}) mkdir((dir + sub).c_str(), 0755);
  Writer(dir, sizes).Write();
  return 0;
}

}  // namespace
}  // namespace sekisho::bench

int main(int argc, char** argv) { return sekisho::bench::Main(argc, argv); }
