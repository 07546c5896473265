#include "blocklist/merge/guard.h"

#include <gtest/gtest.h>

#include <string>

namespace sekisho::blocklist {
namespace {

constexpr std::string_view kSuffixes = R"(// ===BEGIN ICANN DOMAINS===
example
co.example
edu
ac.jp
jp
test
*.wild.test
!free.wild.test
// ===END ICANN DOMAINS===
// ===BEGIN PRIVATE DOMAINS===
pages.example
blogs.provider.test
dyn.test
// ===END PRIVATE DOMAINS===
)";

Guard MakeGuard() {
  GuardLists lists;
  lists.suffixes = PublicSuffixList::Parse(kSuffixes);
  std::string error;
  EXPECT_TRUE(lists.protected_names.AddText("bank.example\n.gov-portal.test\nupdate.vendor.test\n", &error));
  EXPECT_TRUE(lists.shared_hosts.AddText(
      R"({"name": "popular", "list": ["docs.popular.test", "popular.test", ".cdn.test", ".dyn.test"]})",
      &error));
  EXPECT_TRUE(lists.tenant_suffixes.AddText(".ddns.test # anybody's\n", &error));
  return Guard(std::move(lists));
}

TEST(PublicSuffixList, FindsThePrevailingRule) {
  const PublicSuffixList list = PublicSuffixList::Parse(kSuffixes);
  EXPECT_EQ(list.SuffixOf("a.b.co.example").name, "co.example");
  EXPECT_EQ(list.SuffixOf("b.example").name, "example");
  EXPECT_EQ(list.SuffixOf("x.y.wild.test").name, "y.wild.test");
  EXPECT_EQ(list.SuffixOf("x.free.wild.test").name, "wild.test");
  EXPECT_EQ(list.SuffixOf("a.unknown").name, "unknown");
  EXPECT_FALSE(list.SuffixOf("a.unknown").listed);
  EXPECT_TRUE(list.SuffixOf("me.pages.example").is_private);
  EXPECT_EQ(list.RegistrableDomain("a.b.c.co.example"), "c.co.example");
  EXPECT_EQ(list.RegistrableDomain("me.pages.example"), "me.pages.example");
  EXPECT_EQ(list.RegistrableDomain("co.example"), "");
}

TEST(Guard, TopLevelDomainsAndPublicSuffixesNeverBecomeRules) {
  const Guard guard = MakeGuard();
  for (const ClaimKind kind : {ClaimKind::kExact, ClaimKind::kSubtree, ClaimKind::kUrlHost}) {
    EXPECT_EQ(guard.Check("", kind), GuardVerdict::kTopLevel);
    EXPECT_EQ(guard.Check("example", kind), GuardVerdict::kTopLevel);
    EXPECT_EQ(guard.Check("co.example", kind), GuardVerdict::kPublicSuffix);
    EXPECT_EQ(guard.Check("any.wild.test", kind), GuardVerdict::kPublicSuffix);
    EXPECT_EQ(guard.Check("pages.example", kind), GuardVerdict::kPublicSuffix);
    EXPECT_EQ(guard.Check("ddns.test", kind), GuardVerdict::kTenantSuffix);
    EXPECT_EQ(guard.Check("www.ddns.test", kind), GuardVerdict::kTenantSuffix);
    EXPECT_EQ(guard.Check("dyn.test", kind), GuardVerdict::kPublicSuffix);
  }
  EXPECT_EQ(guard.Check("provider.test", ClaimKind::kSubtree), GuardVerdict::kAboveSuffix);
  EXPECT_EQ(guard.Check("provider.test", ClaimKind::kUrlHost), GuardVerdict::kEnforce);
}

TEST(Guard, OneTenantsNameMayBeBlocked) {
  const Guard guard = MakeGuard();
  EXPECT_EQ(guard.Check("phish.pages.example", ClaimKind::kUrlHost), GuardVerdict::kEnforce);
  EXPECT_EQ(guard.Check("phish.ddns.test", ClaimKind::kUrlHost), GuardVerdict::kEnforce);
  // A dotted shared-host entry that the public suffix list knows: its tenants have their own names.
  EXPECT_EQ(guard.Check("phish.dyn.test", ClaimKind::kUrlHost), GuardVerdict::kEnforce);
}

TEST(Guard, SharedHostsStayOpenWhicheverWayTheyAreNamed) {
  const Guard guard = MakeGuard();
  for (const ClaimKind kind : {ClaimKind::kExact, ClaimKind::kUrlHost}) {
    EXPECT_EQ(guard.Check("docs.popular.test", kind), GuardVerdict::kSharedHost);
    EXPECT_EQ(guard.Check("www.popular.test", kind), GuardVerdict::kSharedHost);
    EXPECT_EQ(guard.Check("any.deep.cdn.test", kind), GuardVerdict::kSharedHost);
    EXPECT_EQ(guard.Check("evil.popular.test", kind), GuardVerdict::kEnforce);
  }
  EXPECT_EQ(guard.Check("popular.test", ClaimKind::kSubtree), GuardVerdict::kAboveProtected);
}

TEST(Guard, ProtectedNamesTheirParentsAndTheirSubNames) {
  const Guard guard = MakeGuard();
  EXPECT_EQ(guard.Check("bank.example", ClaimKind::kSubtree), GuardVerdict::kProtected);
  EXPECT_EQ(guard.Check("www.bank.example", ClaimKind::kExact), GuardVerdict::kProtected);
  EXPECT_EQ(guard.Check("login.gov-portal.test", ClaimKind::kSubtree), GuardVerdict::kProtected);
  EXPECT_EQ(guard.Check("vendor.test", ClaimKind::kSubtree), GuardVerdict::kAboveProtected);
  EXPECT_EQ(guard.Check("vendor.test", ClaimKind::kExact), GuardVerdict::kEnforce);
  EXPECT_EQ(guard.Check("notbank.example", ClaimKind::kSubtree), GuardVerdict::kEnforce);
}

TEST(Guard, ShortNamesAndRestrictedSuffixes) {
  const Guard guard = MakeGuard();
  EXPECT_EQ(guard.Check("x.example", ClaimKind::kUrlHost), GuardVerdict::kShortName);
  EXPECT_EQ(guard.Check("www.ab.example", ClaimKind::kExact), GuardVerdict::kShortName);
  EXPECT_EQ(guard.Check("abc.example", ClaimKind::kUrlHost), GuardVerdict::kEnforce);
  EXPECT_EQ(guard.Check("evil.ab.example", ClaimKind::kUrlHost), GuardVerdict::kEnforce);
  EXPECT_EQ(guard.Check("ab.pages.example", ClaimKind::kUrlHost), GuardVerdict::kEnforce);
  EXPECT_EQ(guard.Check("school.edu", ClaimKind::kSubtree), GuardVerdict::kRestrictedSuffix);
  EXPECT_EQ(guard.Check("www.school.ac.jp", ClaimKind::kUrlHost), GuardVerdict::kRestrictedSuffix);
  EXPECT_EQ(guard.Check("hacked.school.ac.jp", ClaimKind::kUrlHost), GuardVerdict::kEnforce);
}

TEST(NameList, RefusesJsonThatIsNoWarningList) {
  NameList list;
  std::string error;
  EXPECT_FALSE(list.AddText(R"({"names": []})", &error));
  EXPECT_NE(error.find("list"), std::string::npos);
  EXPECT_FALSE(list.AddText(R"({"list": ["a.test", 5]})", &error));
  EXPECT_TRUE(list.AddText(R"({"list": ["192.0.2.1", "b.test"]})", &error));
  EXPECT_EQ(list.skipped, 1u);
}

TEST(NameList, AMissingFileIsNamed) {
  NameList list;
  std::string error;
  EXPECT_FALSE(list.AddFile("/nonexistent/list", &error));
  EXPECT_NE(error.find("/nonexistent/list"), std::string::npos);
}

}  // namespace
}  // namespace sekisho::blocklist
