#include "resolver/core/trust_sentinel.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "proto/dns/presentation.h"

namespace sekisho::resolver {
namespace {

class TrustSentinel : public ::testing::Test {
 protected:
  TrustSentinel() {
    std::string error;
    for (const char* text :
         {". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
          "example. IN DS 4711 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"}) {
      settings_.trust_anchors.push_back(*dns::ParseRecord(text, &error));
    }
  }
  bool Withholds(const char* name, dns::RRType type = dns::RRType::kA, Security security = Security::kSecure,
                 bool cd = false) {
    Question q;
    q.qname = *dns::Name::Parse(name);
    q.qtype = type;
    q.cd = cd;
    auto answer = std::make_shared<Answer>();
    answer->security = security;
    q.answer = std::move(answer);
    return SentinelWithholds(q, settings_);
  }
  Settings settings_;
};

// RFC 8509 section 3.
TEST_F(TrustSentinel, WithholdsWhatIsNotTrue) {
  EXPECT_FALSE(Withholds("root-key-sentinel-is-ta-20326.test.example."));
  EXPECT_TRUE(Withholds("root-key-sentinel-not-ta-20326.test.example."));
  EXPECT_TRUE(Withholds("Root-Key-Sentinel-IS-ta-04711.test.example.")) << "not an anchor of the root";
  EXPECT_FALSE(Withholds("root-key-sentinel-not-ta-04711.test.example.", dns::RRType::kAAAA));
}

TEST_F(TrustSentinel, OnlyForSecureAddresses) {
  EXPECT_FALSE(Withholds("root-key-sentinel-not-ta-20326.example.", dns::RRType::kTXT));
  EXPECT_FALSE(Withholds("root-key-sentinel-not-ta-20326.example.", dns::RRType::kA, Security::kInsecure));
  EXPECT_FALSE(
      Withholds("root-key-sentinel-not-ta-20326.example.", dns::RRType::kA, Security::kSecure, true));
}

TEST_F(TrustSentinel, OnlyForItsNames) {
  for (const char* name :
       {"root-key-sentinel-not-ta-2032.example.", "root-key-sentinel-not-ta-2032x.example.",
        "root-key-sentinel-not-ta-99999.example.", "x.root-key-sentinel-not-ta-20326.example.", "."}) {
    EXPECT_FALSE(Withholds(name)) << name;
  }
}

}  // namespace
}  // namespace sekisho::resolver
