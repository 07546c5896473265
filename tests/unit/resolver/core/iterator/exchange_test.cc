#include "resolver/core/iterator/exchange.h"

#include <gtest/gtest.h>

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "resolver/core/task.h"
#include "tests/replay/harness.h"

namespace sekisho::resolver {
namespace {

using dns::Name;
using dns::RRType;
using std::chrono::milliseconds;

MonoTime At(int ms) { return MonoTime(milliseconds(ms)); }

class ExchangeTest : public testing::Test {
 protected:
  struct Asker {
    std::optional<ExchangeResult> result;
    Task<bool> task;
  };

  Task<bool> AskOnce(ExchangeRequest request, Asker* asker, int at) {
    ExchangeResult result = co_await exchanges_.Ask(request, At(at));
    asker->result = std::move(result);
    co_return true;
  }

  ExchangeRequest Request(bool tcp = false, bool mix = true) {
    ExchangeRequest r;
    r.zone = zone_;
    r.qname = qname_;
    r.qtype = RRType::kA;
    r.server = {*IpAddress::Parse("10.0.0.1"), 53};
    r.tcp = tcp;
    r.mix_case = mix;
    r.timeout = milliseconds(400);
    return r;
  }

  Asker& Ask(const ExchangeRequest& r, int at = 0) {
    Asker& a = askers_.emplace_back();
    a.task = AskOnce(r, &a, at);
    a.task.Start();
    return a;
  }

  OutboundQuery Sent() {
    auto q = exchanges_.PollSend();
    EXPECT_TRUE(q);
    return q.value_or(OutboundQuery{});
  }

  // The right reply, changed by `change`, comes in for `q`.
  void Reply(const OutboundQuery& q, const std::function<void(std::vector<uint8_t>&)>& change = {},
             int at = 10) {
    dns::ParsedMessage m;
    ASSERT_EQ(m.Parse(q.packet), dns::ParseError::kNone);
    auto packet = replay::WriteReply(m, m.qname(), replay::ZoneReply{}, false, true, 1232);
    if (change) change(packet);
    exchanges_.OnReply(q.ticket, packet, At(at));
    Resume();
  }

  void Resume() {
    while (auto handle = exchanges_.TakeReady()) handle.resume();
  }

  Name zone_ = *Name::Parse("example.test.");
  Name qname_ = *Name::Parse("a-long-name-with-many-letters.example.test.");
  replay::SeededRng rng_{9};
  Counters counters_;
  Exchanges exchanges_{&rng_, &counters_};
  std::list<Asker> askers_;
};

TEST_F(ExchangeTest, TheRightReplyIsAccepted) {
  Asker& a = Ask(Request());
  const OutboundQuery q = Sent();
  EXPECT_FALSE(a.result);
  EXPECT_EQ(counters_.in_flight_upstream.value(), 1u);
  Reply(q, {}, 25);
  ASSERT_TRUE(a.result);
  EXPECT_EQ(a.result->outcome, ExchangeOutcome::kReply);
  EXPECT_EQ(a.result->rtt, milliseconds(25));
  EXPECT_EQ(counters_.in_flight_upstream.value(), 0u);
  EXPECT_EQ(exchanges_.PollCancel(), q.ticket);
  EXPECT_FALSE(exchanges_.NextDeadline());
}

// Row P11: each of these is not our reply; the wait goes on and the right one is taken afterwards.
TEST_F(ExchangeTest, WhatDoesNotMatchIsIgnored) {
  const std::vector<std::function<void(std::vector<uint8_t>&)>> wrong = {
      [](auto& p) { p[2] &= 0x7f; },                              // QR clear
      [](auto& p) { p[2] = static_cast<uint8_t>(p[2] | 0x20); },  // opcode 4
      [](auto& p) { p[5] = 0; },                                  // no question
      [](auto& p) { p[5] = 2; },                                  // two questions
      [](auto& p) { p[13] ^= 0x01; },                             // another name
      [this](auto& p) { p[12 + qname_.size() + 1] = 28; },        // another type
      [this](auto& p) { p[12 + qname_.size() + 3] = 3; },         // another class
      [](auto& p) { p.resize(p.size() - 1); },                    // cut short
      [](auto& p) { p.push_back(0); },                            // bytes behind the end
      [](auto& p) { p.resize(11); },
      [](auto& p) { p.resize(0); },
  };
  for (size_t i = 0; i < wrong.size(); ++i) {
    SCOPED_TRACE(i);
    Asker& a = Ask(Request());
    const OutboundQuery q = Sent();
    Reply(q, wrong[i], 5);
    EXPECT_FALSE(a.result);
    Reply(q, {}, 20);
    ASSERT_TRUE(a.result);
    EXPECT_EQ(a.result->outcome, ExchangeOutcome::kReply);
  }
  EXPECT_EQ(counters_.upstream_mismatches.value(), wrong.size());
}

// Row P05: the first wrong ID ends the wait.
TEST_F(ExchangeTest, WrongIdIsSuspicious) {
  Asker& a = Ask(Request());
  Reply(Sent(), [](auto& p) { p[0] ^= 0x80; });
  ASSERT_TRUE(a.result);
  EXPECT_EQ(a.result->outcome, ExchangeOutcome::kSuspicious);
  EXPECT_FALSE(a.result->case_changed);
}

TEST_F(ExchangeTest, WrongCaseIsSuspiciousOnlyWhenWeMixedIt) {
  const auto flip = [](std::vector<uint8_t>& p) { p[13] ^= 0x20; };
  Asker& mixed = Ask(Request());
  Reply(Sent(), flip);
  ASSERT_TRUE(mixed.result);
  EXPECT_EQ(mixed.result->outcome, ExchangeOutcome::kSuspicious);
  EXPECT_TRUE(mixed.result->case_changed);
  Asker& plain = Ask(Request(false, false));
  Reply(Sent(), flip);
  ASSERT_TRUE(plain.result);
  EXPECT_EQ(plain.result->outcome, ExchangeOutcome::kReply);
}

TEST_F(ExchangeTest, TheReplyForgetsOurCase) {
  Asker& a = Ask(Request());
  const OutboundQuery q = Sent();
  dns::ParsedMessage sent;
  ASSERT_EQ(sent.Parse(q.packet), dns::ParseError::kNone);
  EXPECT_FALSE(sent.qname().EqualsWithCase(qname_));
  EXPECT_TRUE(sent.qname() == qname_.view());
  Reply(q);
  ASSERT_TRUE(a.result && a.result->reply);
  EXPECT_TRUE(a.result->reply->message.qname().EqualsWithCase(qname_));
}

TEST_F(ExchangeTest, IdAndCaseDifferFromQueryToQuery) {
  std::set<std::vector<uint8_t>> heads;
  for (int i = 0; i < 200; ++i) {
    Ask(Request());
    const OutboundQuery q = Sent();
    heads.insert(std::vector<uint8_t>(q.packet.begin(), q.packet.begin() + 2));
    Reply(q);
  }
  EXPECT_GT(heads.size(), 190u);
}

// Over TCP nobody else speaks: what does not match is a broken server.
TEST_F(ExchangeTest, MismatchOverTcpEndsTheConnection) {
  Asker& a = Ask(Request(true));
  Reply(Sent(), [](auto& p) { p[0] ^= 0x80; });
  ASSERT_TRUE(a.result);
  EXPECT_EQ(a.result->outcome, ExchangeOutcome::kClosed);
}

TEST_F(ExchangeTest, IdenticalQuestionsShareOneExchange) {
  Asker& a = Ask(Request());
  Asker& b = Ask(Request(), 100);
  const OutboundQuery q = Sent();
  EXPECT_FALSE(exchanges_.PollSend());
  Reply(q, {}, 200);
  ASSERT_TRUE(a.result && b.result);
  EXPECT_FALSE(a.result->joined);
  EXPECT_TRUE(b.result->joined);
  EXPECT_EQ(a.result->reply, b.result->reply);
}

// One that joined waits no longer than it would have on its own.
TEST_F(ExchangeTest, WhoJoinedHasItsOwnDeadline) {
  ExchangeRequest patient = Request();
  patient.timeout = milliseconds(3000);
  Asker& a = Ask(patient);
  Asker& b = Ask(Request(), 100);
  const OutboundQuery q = Sent();
  EXPECT_EQ(exchanges_.NextDeadline(), At(500));
  exchanges_.OnTime(At(500));
  Resume();
  ASSERT_TRUE(b.result);
  EXPECT_EQ(b.result->outcome, ExchangeOutcome::kTimeout);
  EXPECT_FALSE(a.result);
  EXPECT_EQ(exchanges_.NextDeadline(), At(3000));
  Reply(q, {}, 600);
  ASSERT_TRUE(a.result);
  EXPECT_EQ(a.result->outcome, ExchangeOutcome::kReply);
}

TEST_F(ExchangeTest, Timeout) {
  Asker& a = Ask(Request());
  const OutboundQuery q = Sent();
  EXPECT_EQ(exchanges_.NextDeadline(), At(400));
  exchanges_.OnTime(At(399));
  Resume();
  EXPECT_FALSE(a.result);
  exchanges_.OnTime(At(400));
  Resume();
  ASSERT_TRUE(a.result);
  EXPECT_EQ(a.result->outcome, ExchangeOutcome::kTimeout);
  // A late reply goes nowhere.
  Reply(q, {}, 500);
  EXPECT_EQ(a.result->outcome, ExchangeOutcome::kTimeout);
}

TEST_F(ExchangeTest, FailuresOfTheNetworkAreTold) {
  const std::vector<std::pair<UpstreamFailure, ExchangeOutcome>> all = {
      {UpstreamFailure::kUnreachable, ExchangeOutcome::kUnreachable},
      {UpstreamFailure::kClosed, ExchangeOutcome::kClosed},
      {UpstreamFailure::kNoSocket, ExchangeOutcome::kNoSocket}};
  for (const auto& [failure, outcome] : all) {
    Asker& a = Ask(Request());
    exchanges_.OnFailure(Sent().ticket, failure);
    Resume();
    ASSERT_TRUE(a.result);
    EXPECT_EQ(a.result->outcome, outcome);
  }
}

// Who goes away takes its query along, unless somebody else waits for it.
TEST_F(ExchangeTest, AbandonedQueriesAreCancelled) {
  Asker& a = Ask(Request());
  Asker& b = Ask(Request());
  const OutboundQuery q = Sent();
  a.task.Reset();
  EXPECT_FALSE(exchanges_.PollCancel());
  b.task.Reset();
  EXPECT_EQ(exchanges_.PollCancel(), q.ticket);
  EXPECT_EQ(exchanges_.outstanding(), 0u);
  EXPECT_EQ(counters_.in_flight_upstream.value(), 0u);
  // One that was not even sent is not sent any more.
  Asker& c = Ask(Request());
  c.task.Reset();
  EXPECT_FALSE(exchanges_.PollSend());
  EXPECT_FALSE(exchanges_.PollCancel());
}

TEST_F(ExchangeTest, TheQuery) {
  Ask(Request());
  const OutboundQuery q = Sent();
  dns::ParsedMessage m;
  ASSERT_EQ(m.Parse(q.packet), dns::ParseError::kNone);
  EXPECT_FALSE(m.header().rd);
  EXPECT_FALSE(m.header().cd);
  ASSERT_TRUE(m.edns());
  EXPECT_EQ(m.edns()->udp_size, 1232);
  EXPECT_TRUE(m.edns()->dnssec_ok);
  EXPECT_EQ(m.edns()->option_count, 0u);
}

}  // namespace
}  // namespace sekisho::resolver
