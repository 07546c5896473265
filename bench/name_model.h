// NameModel: a seeded stream of domain names like those of threat lists: brand words with additions, random
// strings, subdomains of hosting providers.
//
//   NameModel model(1);
//   const std::string name = model.Next();      // "secure-paylogin24.top"
//
// Given the lines of a real list it cuts their labels and joins the parts anew, so that its letters fall as
// theirs do.
//
// Threads: one.
#ifndef SEKISHO_BENCH_NAME_MODEL_H_
#define SEKISHO_BENCH_NAME_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace sekisho::bench {

class NameModel {
 public:
  explicit NameModel(uint64_t seed, const std::vector<std::string>* real = nullptr)
      : random_(seed), real_(real) {}

  std::string Next() {
    if (real_ != nullptr && !real_->empty()) return FromReal();
    const size_t kind = Below(100);
    if (kind < 20) return Below(4) == 0 ? Random() + "." + Parent() : Word() + "." + Parent();
    const std::string label = kind < 40   ? Random()
                              : kind < 75 ? Word() + Word()
                                          : Word() + "-" + Word() + Number();
    return (Below(8) == 0 ? Word() + "." : "") + label + "." + Tld();
  }

 private:
  size_t Below(size_t n) { return random_() % n; }

  std::string Syllables(size_t n) {
    static const char* const kOnsets[] = {"b",  "c",  "d",  "f",  "g",  "h",  "j",  "k",  "l",
                                          "m",  "n",  "p",  "qu", "r",  "s",  "t",  "v",  "w",
                                          "x",  "z",  "br", "ch", "cl", "cr", "dr", "fl", "fr",
                                          "gr", "pl", "pr", "sh", "st", "th", "tr", "",   ""};
    static const char* const kVowels[] = {"a", "e",  "i",  "o",  "u",  "a",  "e", "i",
                                          "o", "ai", "ea", "ee", "ie", "oo", "ou"};
    static const char* const kCodas[] = {"",  "",   "",   "",   "n",  "r", "l", "s",
                                         "t", "ng", "nd", "ck", "st", "m", "rt"};
    std::string out;
    while (n-- > 0) {
      out += kOnsets[Below(std::size(kOnsets))];
      out += kVowels[Below(std::size(kVowels))];
      out += kCodas[Below(std::size(kCodas))];
    }
    return out;
  }
  std::string Word() {
    static const char* const kWords[] = {
        "secure", "login",  "bank",   "pay",   "account", "update",  "online",  "shop",     "mail",
        "cloud",  "app",    "web",    "my",    "the",     "service", "support", "verify",   "card",
        "crypto", "wallet", "free",   "best",  "news",    "world",   "home",    "tech",     "data",
        "info",   "host",   "site",   "store", "group",   "global",  "media",   "market",   "travel",
        "hotel",  "game",   "casino", "bet",   "win",     "prize",   "gift",    "loan",     "health",
        "pharm",  "med",    "auto",   "car",   "photo",   "video",   "tube",    "movie",    "music",
        "sport",  "foot",   "ball",   "green", "blue",    "red",     "black",   "white",    "gold",
        "star",   "sun",    "moon",   "post",  "parcel",  "track",   "express", "delivery", "tax",
        "gov",    "refund", "help",   "desk",  "admin"};
    return Below(3) == 0 ? kWords[Below(std::size(kWords))] : Syllables(1 + Below(3));
  }
  std::string Number() { return Below(2) == 0 ? std::to_string(Below(10000)) : ""; }
  std::string Random() {
    std::string out;
    for (size_t n = 6 + Below(11); n > 0; --n)
      out += "abcdefghijklmnopqrstuvwxyz0123456789"[Below(Below(2) ? 36 : 26)];
    return out;
  }
  std::string Tld() {
    static const char* const kTlds[] = {
        "com", "com",  "com",  "com",   "com",    "com",   "com",    "net", "net", "org", "info",
        "xyz", "top",  "ru",   "cn",    "de",     "fr",    "br",     "in",  "jp",  "uk",  "shop",
        "biz", "site", "club", "co.uk", "online", "co.jp", "com.br", "icu", "vip", "pl",  "it"};
    return kTlds[Below(std::size(kTlds))];
  }
  // Few providers have most of the names.
  std::string Parent() {
    const size_t rank = Below(Below(Below(20000) + 1) + 1);
    NameModel fixed(rank * 7919 + 13);
    return fixed.Syllables(3) + (rank % 3 == 0 ? "host" : "") + "." + fixed.Tld();
  }

  std::string FromReal() {
    const std::string& a = (*real_)[Below(real_->size())];
    const std::string& b = (*real_)[Below(real_->size())];
    const size_t dot = a.find('.');
    const size_t cut_a = 1 + Below(dot == std::string::npos || dot == 0 ? 1 : dot);
    const size_t cut_b = Below(b.find('.') == std::string::npos ? 1 : b.find('.') + 1);
    return (a.substr(0, cut_a) + b.substr(cut_b)).substr(0, 200);
  }

  std::mt19937_64 random_;
  const std::vector<std::string>* real_;
};

}  // namespace sekisho::bench

#endif  // SEKISHO_BENCH_NAME_MODEL_H_
