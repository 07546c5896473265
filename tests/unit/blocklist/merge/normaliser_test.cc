#include "blocklist/merge/normaliser.h"

#include <gtest/gtest.h>

#include <string>

namespace sekisho::blocklist {
namespace {

// The name, or the problem's text in angle brackets.
std::string Shown(const NameOrProblem& result) {
  if (const auto* name = std::get_if<std::string>(&result)) return *name;
  return "<" + std::string(NameProblemText(std::get<NameProblem>(result))) + ">";
}
std::string Name(std::string_view text) { return Shown(NormaliseName(text)); }
std::string Url(std::string_view text) { return Shown(NormaliseUrl(text)); }
std::string Problem(NameProblem problem) { return Shown(NameOrProblem(problem)); }

TEST(NormaliseName, CaseTrailingDotAndUnderscore) {
  EXPECT_EQ(Name("WWW.Phish.EXAMPLE."), "www.phish.example");
  EXPECT_EQ(Name("  a.example\t"), "a.example");
  EXPECT_EQ(Name("_dmarc.a_b.example"), "_dmarc.a_b.example");
  EXPECT_EQ(Name("-x-.example"), "-x-.example");
  EXPECT_EQ(Name("test"), "test");
}

TEST(NormaliseName, Defanged) {
  EXPECT_EQ(Name("evil[.]example"), "evil.example");
  EXPECT_EQ(Name("evil(.)a[dot]example"), "evil.a.example");
}

TEST(NormaliseName, InternationalNamesByIdna2008) {
  EXPECT_EQ(Name("Bücher.example"), "xn--bcher-kva.example");
  EXPECT_EQ(Name("faß.example"), "xn--fa-hia.example");       // RFC 5891: not "fass"
  EXPECT_EQ(Name("βόλος.example"), "xn--nxasmm1c.example");   // final sigma kept
  EXPECT_EQ(Name("例え。テスト"), "xn--r8jz45g.xn--zckzah");  // ideographic full stop
  // RFC 3492 section 7.1: (A) Arabic (Egyptian), (B) Chinese, (L) Japanese with digits
  EXPECT_EQ(Name("ليهمابتكلموشعربي؟.example"),
            Problem(NameProblem::kBadIdn));  // the question mark is no letter
  EXPECT_EQ(Name("他们为什么不说中文.example"), "xn--ihqwcrb4cv8a8dqg056pqjye.example");
  EXPECT_EQ(Name("3年b組金八先生.example"), "xn--3b-ww4c5e180e575a65lsy2b.example");
  EXPECT_EQ(Name("XN--BCHER-KVA.example"), "xn--bcher-kva.example");
}

TEST(NormaliseName, WhatIsNoName) {
  EXPECT_EQ(Name(""), Problem(NameProblem::kEmpty));
  EXPECT_EQ(Name("."), Problem(NameProblem::kBadLabel));
  EXPECT_EQ(Name("a..example"), Problem(NameProblem::kBadLabel));
  EXPECT_EQ(Name(".example"), Problem(NameProblem::kBadLabel));
  EXPECT_EQ(Name("a b.example"), Problem(NameProblem::kBadCharacter));
  EXPECT_EQ(Name("a*.example"), Problem(NameProblem::kBadCharacter));
  EXPECT_EQ(Name(std::string_view("a\0b.example", 11)), Problem(NameProblem::kBadCharacter));
  EXPECT_EQ(Name(std::string(64, 'a') + ".example"), Problem(NameProblem::kBadLabel));
  EXPECT_EQ(Name(std::string(63, 'a') + ".example"), std::string(63, 'a') + ".example");
  std::string longest;
  for (int i = 0; i < 31; ++i) longest += "1234567.";
  EXPECT_EQ(Name(longest + "abcde"), longest + "abcde");  // 253
  EXPECT_EQ(Name(longest + "abcdef"), Problem(NameProblem::kTooLong));
  EXPECT_EQ(Name(std::string(5000, 'a')), Problem(NameProblem::kTooLong));
}

TEST(NormaliseName, AddressesInAllTheirSpellings) {
  for (const char* text : {"192.0.2.1", "192[.]0[.]2[.]1", "2130706433", "0x7f.1", "0xc0000201",
                           "2001:db8::1", "::ffff:192.0.2.1", "192.0.2.1."}) {
    EXPECT_EQ(Name(text), Problem(NameProblem::kAddress)) << text;
  }
  EXPECT_EQ(Name("1.2.3.4.example"), "1.2.3.4.example");
  EXPECT_EQ(Name("a.0xg"), "a.0xg");
}

TEST(NormaliseUrl, TheHostAlone) {
  EXPECT_EQ(Url("https://phish.example/login?x=@b#c"), "phish.example");
  EXPECT_EQ(Url("HTTP://A.Example."), "a.example");
  EXPECT_EQ(Url("https://a.example:8443/"), "a.example");
  EXPECT_EQ(Url("https://a.example:/"), "a.example");
  EXPECT_EQ(Url("https://a.example?x=https://b.example/"), "a.example");
  EXPECT_EQ(Url("https://a.example#@b.example"), "a.example");
  EXPECT_EQ(Url("https://a.example\\@b.example/"), "a.example");
  EXPECT_EQ(Url("//a.example/x"), "a.example");
  EXPECT_EQ(Url("a.example/x?u=http://b.example"), "a.example");
  EXPECT_EQ(Url("https://例え.example/%E3%81%82"), "xn--r8jz45g.example");
}

TEST(NormaliseUrl, CredentialsDoNotHideTheHost) {
  EXPECT_EQ(Url("https://bank.example@phish.example/"), "phish.example");
  EXPECT_EQ(Url("https://user:p@ss@phish.example:443/x"), "phish.example");
}

TEST(NormaliseUrl, PercentEncodedHosts) {
  EXPECT_EQ(Url("https://ph%69sh%2Eexample/"), "phish.example");
  EXPECT_EQ(Url("https://b%C3%BCcher.example/"), "xn--bcher-kva.example");
  EXPECT_EQ(Url("https://a%2/"), Problem(NameProblem::kBadUrl));
  EXPECT_EQ(Url("https://a%00b.example/"), Problem(NameProblem::kBadCharacter));
}

TEST(NormaliseUrl, Defanged) {
  EXPECT_EQ(Url("hxxps://phish[.]example/x"), "phish.example");
  EXPECT_EQ(Url("hXXp[:]//phish[.]example"), "phish.example");
}

TEST(NormaliseUrl, WhatHasNoHostName) {
  EXPECT_EQ(Url("https://[2001:db8::1]:8080/"), Problem(NameProblem::kAddress));
  EXPECT_EQ(Url("https://192.0.2.1/"), Problem(NameProblem::kAddress));
  EXPECT_EQ(Url("https://3221225985/"), Problem(NameProblem::kAddress));
  EXPECT_EQ(Url("https://[2001:db8::1/"), Problem(NameProblem::kBadUrl));
  EXPECT_EQ(Url("https:///path"), Problem(NameProblem::kBadUrl));
  EXPECT_EQ(Url("https://a.example:99999/"), Problem(NameProblem::kBadUrl));
  EXPECT_EQ(Url("https://a.example:80x/"), Problem(NameProblem::kBadUrl));
  EXPECT_EQ(Url("javascript://a.example/"), Problem(NameProblem::kBadScheme));
}

}  // namespace
}  // namespace sekisho::blocklist
