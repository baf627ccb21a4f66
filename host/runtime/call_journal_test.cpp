// What a second run of a call is answered from memory, what it is let do, and what it is refused.
#include "host/runtime/call_journal.h"

#include <gtest/gtest.h>

namespace garland::runtime {
namespace {

using Ask = CallJournal::Ask;
using Kind = CallJournal::Step::Kind;

wire::HttpAnswer answered(int status, Effect effect = Effect::unknown, std::string body = "") {
  wire::HttpAnswer answer;
  answer.status = status;
  answer.effect = static_cast<std::int32_t>(effect);
  answer.body = std::move(body);
  return answer;
}

class Journal : public testing::Test {
protected:
  // Asks, and answers whatever has to be served.
  Kind ask(Ask kind, std::string_view content, CallJournal::Answer answer = answered(200)) {
    auto const step = journal.ask(kind, content);
    if (step.kind == Kind::forward) journal.record(step.place, std::move(answer));
    return step.kind;
  }

  std::shared_ptr<JournalBudget> budget = std::make_shared<JournalBudget>();
  CallJournal journal{budget};
};

TEST_F(Journal, ASecondRunGetsTheRecordedAnswersAndGoesOnWhereTheyEnd) {
  EXPECT_EQ(ask(Ask::http, "read"), Kind::forward);
  EXPECT_EQ(ask(Ask::httpWrite, "write", answered(201)), Kind::forward);
  journal.beginRun();
  EXPECT_EQ(ask(Ask::http, "read"), Kind::repeat);
  auto const step = journal.ask(Ask::httpWrite, "write");
  ASSERT_EQ(step.kind, Kind::repeat);
  EXPECT_EQ(std::get<wire::HttpAnswer>(*step.recorded).status, 201);
  EXPECT_EQ(ask(Ask::httpWrite, "another write"), Kind::forward);
  journal.beginRun();
  EXPECT_EQ(ask(Ask::http, "read"), Kind::repeat);
  EXPECT_EQ(ask(Ask::httpWrite, "write"), Kind::repeat);
  EXPECT_EQ(ask(Ask::httpWrite, "another write"), Kind::repeat);
  EXPECT_TRUE(journal.canRepeat());
}

TEST_F(Journal, TheSameContentAsAnotherKindOfAskIsAnotherAsk) {
  ask(Ask::kvGet, "key", wire::KvAnswer());
  journal.beginRun();
  EXPECT_EQ(ask(Ask::emit, "key", wire::EmitCredit()), Kind::forward);
}

TEST_F(Journal, AWriteThatDiffersFromTheOneThatWasDoneIsRefused) {
  ask(Ask::httpWrite, "write 1");
  journal.beginRun();
  EXPECT_EQ(ask(Ask::httpWrite, "write 2"), Kind::refuse);
  EXPECT_TRUE(journal.hasUnrepeatedWrite());
}

TEST_F(Journal, AReadThatDiffersIsServedButNoWriteAfterItIfOneWasDone) {
  ask(Ask::http, "page 1");
  ask(Ask::httpWrite, "write");
  journal.beginRun();
  EXPECT_EQ(ask(Ask::http, "page 2"), Kind::forward);
  EXPECT_TRUE(journal.hasUnrepeatedWrite());
  EXPECT_EQ(ask(Ask::httpWrite, "write"), Kind::refuse);
  EXPECT_FALSE(journal.canRepeat());
}

TEST_F(Journal, WithoutAnyWriteARunMayGoAnyOtherWay) {
  ask(Ask::http, "page 1");
  ask(Ask::http, "page 2");
  journal.beginRun();
  EXPECT_EQ(ask(Ask::http, "page 7"), Kind::forward);
  EXPECT_EQ(ask(Ask::httpWrite, "write"), Kind::forward);
  journal.beginRun();
  EXPECT_EQ(ask(Ask::http, "page 7"), Kind::repeat);
  EXPECT_EQ(ask(Ask::httpWrite, "write"), Kind::repeat);
}

TEST_F(Journal, AWriteThatWasSurelyNotAppliedCountsForNothing) {
  ask(Ask::httpWrite, "write 1", answered(412, Effect::notApplied));
  EXPECT_FALSE(journal.wrote());
  journal.beginRun();
  EXPECT_EQ(ask(Ask::httpWrite, "write 2"), Kind::forward);
  EXPECT_TRUE(journal.wrote());
}

TEST_F(Journal, AnAskWithoutAnAnswerForbidsASecondRun) {
  auto const step = journal.ask(Ask::httpWrite, "write");
  EXPECT_FALSE(journal.canRepeat());
  EXPECT_TRUE(journal.wrote());
  journal.record(step.place, answered(200));
  EXPECT_TRUE(journal.canRepeat());
}

TEST_F(Journal, MoreThanAMegabyteForbidsASecondRunAndIsLetGo) {
  ask(Ask::http, "big", answered(200, Effect::unknown, std::string(CallJournal::kMaxBytes, 'x')));
  EXPECT_FALSE(journal.canRepeat());
  EXPECT_EQ(budget->left, JournalBudget().left);
  EXPECT_EQ(ask(Ask::httpWrite, "write"), Kind::forward); // the run itself goes on
  EXPECT_TRUE(journal.wrote());
}

TEST_F(Journal, ManySmallAsksCostToo) {
  for (int i = 0; i < 10'000; ++i) ask(Ask::emit, "{}", wire::EmitCredit());
  EXPECT_FALSE(journal.canRepeat());
}

TEST_F(Journal, AllJournalsTogetherHaveABudget) {
  budget->left = 100;
  ask(Ask::http, "read");
  EXPECT_FALSE(journal.canRepeat());
}

TEST(Methods, OnlyThoseThatNeverChangeAnythingAreReads) {
  for (auto const* method : {"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"}) EXPECT_FALSE(mayWrite(method));
  for (auto const* method : {"POST", "PUT", "PATCH", "DELETE", "MKCALENDAR", "get", ""})
    EXPECT_TRUE(mayWrite(method)) << method;
}

} // namespace
} // namespace garland::runtime
