// Pulling a list that changes while it is read.
#include "fixture.h"

namespace garland::tave {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpResponse;
using ::testing::IsEmpty;

class TavePull : public TaveTest {
protected:
  void addJobs(int count) {
    for (int i = 0; i < count; ++i) ids.push_back(addJob("job " + std::to_string(i)));
  }
  // Calls `change` after the n-th answer that is a page of jobs.
  void afterPage(int n, std::function<void()> change) {
    studio.after = [this, n, change, seen = std::make_shared<int>(0)](HttpRequest const& request) {
      if (request.url.find("/job?") == std::string::npos || ++*seen != n) return;
      studio.after = nullptr;
      change();
    };
  }
  // Answers so many pages of jobs, then nothing more.
  void loseAfterPages(int n) {
    studio.instead = [n,
                      seen = std::make_shared<int>(0)](HttpRequest const& request) -> ScriptedStudio::Reply {
      if (request.url.find("/job?") == std::string::npos || ++*seen <= n) return std::nullopt;
      return testing::HttpFailure{};
    };
  }
  // So many lists of jobs come without these members of this one.
  void hide(std::string const& id, std::vector<std::string> members, int times) {
    studio.instead = [this, id, members, left = std::make_shared<int>(times)](
                         HttpRequest const& request) -> ScriptedStudio::Reply {
      if (request.url.find("/job?") == std::string::npos || (*left)-- <= 0) return std::nullopt;
      auto const hook = std::exchange(studio.instead, nullptr);
      auto answer = std::get<HttpResponse>(studio.serve(request));
      studio.instead = hook;
      auto body = json::parse(answer.body);
      for (auto& item : body.at("items").as_array())
        if (item.at("id").as_string() == id)
          for (auto const& member : members) item.as_object().erase(member);
      answer.body = json::serialize(body);
      return answer;
    };
  }
  std::set<std::string> distinct() const {
    std::set<std::string> result;
    for (auto const& record : host.emitted("crm.project")) result.emplace(record.at("id").as_string());
    return result;
  }

  std::vector<std::string> ids; // the oldest first
};

TEST_F(TavePull, EveryPageIsReadAndTheIdsAreListed) {
  addJobs(250);
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_EQ(distinct().size(), 250U);
  EXPECT_EQ(host.emitted("crm.project").size(), 250U);
  EXPECT_EQ(listed(), std::set<std::string>(ids.begin(), ids.end()));
  EXPECT_EQ(count("GET", "includeClosed=true"), 4U); // three pages, and a look at what changed meanwhile
}

TEST_F(TavePull, EmptyAndExactlyFullListsEnd) {
  for (int const size : {0, 1, 100, 101}) {
    studio.lists.clear();
    cursors.clear();
    ids.clear();
    addJobs(size);
    ASSERT_TRUE(pull("crm.project").ok()) << size;
    EXPECT_EQ(host.emitted("crm.project").size(), static_cast<std::size_t>(size));
    EXPECT_EQ(listed()->size(), static_cast<std::size_t>(size));
  }
}

TEST_F(TavePull, ASecondPullBringsWhatChangedAndNothingElse) {
  addJobs(250);
  ASSERT_TRUE(pull("crm.project").ok());
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_THAT(host.emitted(), IsEmpty());
  EXPECT_EQ(count("GET", "/job?"), 1U);
  studio.at("job", ids[7])["name"] = "changed";
  studio.put("job", studio.at("job", ids[7]));
  addJob("new");
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_THAT(names("crm.project"), ElementsAre("changed", "new"));
}

TEST_F(TavePull, WhatChangesInTheSameSecondIsNotMissed) {
  addJobs(3);
  ASSERT_TRUE(pull("crm.project").ok());
  --studio.clock;
  addJob("same second");
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_THAT(names("crm.project"), ElementsAre("same second"));
  --studio.clock;
  studio.at("job", ids[2])["name"] = "again";
  studio.put("job", studio.at("job", ids[2]));
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_THAT(names("crm.project"), ElementsAre("again"));
}

TEST_F(TavePull, AJobThatIsModifiedWhileTheListIsReadIsNotMissed) {
  addJobs(350);
  afterPage(1, [this] {
    for (auto const& id : {ids[5], ids[200]}) { // one of the last page, one of the next
      studio.at("job", id)["name"] = "changed";
      studio.put("job", studio.at("job", id));
    }
  });
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_EQ(distinct().size(), 350U);
  EXPECT_EQ(names("crm.project").count("changed"), 2U);
}

TEST_F(TavePull, JobsThatMoveUpBecauseOthersAreDeletedAreNotMissed) {
  addJobs(450);
  afterPage(2, [this] {
    for (int i = 0; i < 120; ++i) studio.remove("job", ids[static_cast<std::size_t>(449 - i)]);
  });
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_EQ(distinct().size(), 450U); // the deleted ones had been read already
  EXPECT_EQ(listed()->size(), 330U);  // and are missing in the list of another walk
}

TEST_F(TavePull, APullThatIsStoppedGoesOnWithoutAGap) {
  addJobs(550);
  loseAfterPages(3);
  EXPECT_EQ(pull("crm.project").status, GARLAND_E_TRANSIENT);
  auto seen = distinct();
  EXPECT_EQ(seen.size(), 300U);
  // Meanwhile some are deleted that were read, so that the rest moves up, and one is changed.
  studio.instead = nullptr;
  for (int i = 0; i < 150; ++i) studio.remove("job", ids[static_cast<std::size_t>(549 - i)]);
  studio.put("job", studio.at("job", ids[0]));
  ASSERT_TRUE(pull("crm.project").ok());
  seen.merge(distinct());
  EXPECT_EQ(seen.size(), 550U);
  EXPECT_EQ(listed()->size(), 400U);
}

TEST_F(TavePull, DeletedJobsAreMissingInTheNextListing) {
  addJobs(120);
  ASSERT_TRUE(pull("crm.project").ok());
  studio.remove("job", ids[3]);
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_EQ(listed()->size(), 119U);
  EXPECT_FALSE(listed()->contains(ids[3]));
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_FALSE(listed());
}

TEST_F(TavePull, AnEditThatCameWithoutAnIdComesAgainUntilItHasOne) {
  std::vector<std::vector<std::string>> const hidden{{"id"}, {"id", "modified"}};
  for (auto const& members : hidden) {
    studio.lists.clear();
    cursors.clear();
    ids.clear();
    addJobs(3);
    ASSERT_TRUE(pull("crm.project").ok());
    for (auto const& [job, name] : {std::pair{ids[0], "earlier"}, {ids[1], "later"}}) {
      studio.at("job", job)["name"] = name;
      studio.put("job", studio.at("job", job));
    }
    hide(ids[0], members, 2);
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(pull("crm.project").ok());
      EXPECT_EQ(names("crm.project").count("earlier"), 0U);
      EXPECT_THAT(problems(), ElementsAre(HasSubstr("has no /id"))) << "it is told each time";
    }
    ASSERT_TRUE(pull("crm.project").ok());
    EXPECT_EQ(names("crm.project").count("earlier"), 1U);
    ASSERT_TRUE(pull("crm.project").ok());
    EXPECT_THAT(host.emitted(), IsEmpty());
  }
}

TEST_F(TavePull, AJobThatNeverHasAnIdIsReadBackToOnceByEachPull) {
  addJobs(250);
  hide(ids[10], {"id"}, 1000);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(pull("crm.project").ok());
    EXPECT_EQ(problems().size(), 1U);
    EXPECT_EQ(count("GET", "/job?"), 4U) << "three pages, and a look at what changed meanwhile";
  }
  studio.instead = nullptr;
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_TRUE(distinct().contains(ids[10]));
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_THAT(host.emitted("crm.project"), IsEmpty());
}

TEST_F(TavePull, ADeletedJobIsMissedAlsoIfAnotherWasCreated) {
  addJobs(3);
  ASSERT_TRUE(pull("crm.project").ok());
  studio.remove("job", ids[0]);
  addJob("instead"); // as many as before
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_THAT(names("crm.project"), ElementsAre("instead"));
  EXPECT_EQ(listed()->size(), 3U);
  EXPECT_FALSE(listed()->contains(ids[0]));
}

TEST_F(TavePull, ADayLaterAllIdsAreListedAgain) {
  addJobs(3);
  ASSERT_TRUE(pull("crm.project").ok());
  host.advance(std::chrono::hours(25));
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_THAT(host.emitted("crm.project"), IsEmpty());
  EXPECT_EQ(listed()->size(), 3U);
}

TEST_F(TavePull, APageThatComesAgainAndAgainEndsThePull) {
  addJobs(250);
  studio.instead = [this](HttpRequest const& request) -> ScriptedStudio::Reply {
    auto const page = request.url.find("page=");
    if (request.url.find("/job?") == std::string::npos) return std::nullopt;
    auto first = request;
    first.url.replace(page, 6, "page=1");
    studio.instead = nullptr;
    auto reply = studio.serve(first);
    return reply;
  };
  auto const once = studio.instead;
  studio.after = [this, once](HttpRequest const&) { studio.instead = once; };
  auto const outcome = pull("crm.project");
  EXPECT_EQ(outcome.status, GARLAND_E_PROVIDER_BUG);
  EXPECT_THAT(outcome.message, HasSubstr("in a circle"));
}

TEST_F(TavePull, AListThatIsNotSortedIsRefused) {
  addJobs(3);
  studio.instead = [this](HttpRequest const& request) -> ScriptedStudio::Reply {
    if (request.url.find("/job?") == std::string::npos) return std::nullopt;
    json::array items{studio.at("job", ids[0]), studio.at("job", ids[2])};
    return jsonAnswer(200, {{"items", items}, {"meta", {{"totalPages", 1}, {"totalItems", 2}}}});
  };
  EXPECT_THAT(pull("crm.project").message, HasSubstr("is not sorted by /modified"));
}

TEST_F(TavePull, ACursorThatCannotBeReadIsAsGoodAsNone) {
  addJobs(3);
  cursors["crm.project"] = {{"mark", 7}};
  ASSERT_TRUE(pull("crm.project").ok());
  EXPECT_EQ(distinct().size(), 3U);
}

TEST_F(TavePull, EveryCheckpointIsAPlaceToGoOnFrom) {
  addJobs(330);
  ASSERT_TRUE(pull("crm.project").ok());
  auto const all = host.checkpoints();
  ASSERT_GE(all.size(), 4U);
  for (std::size_t stop = 0; stop < all.size(); ++stop) {
    cursors["crm.project"] = nullptr;
    host.clear();
    studio.instead = [stop,
                      seen = std::size_t{0}](HttpRequest const& request) mutable -> ScriptedStudio::Reply {
      if (request.url.find("/job?") == std::string::npos || seen++ <= stop) return std::nullopt;
      return testing::HttpFailure{};
    };
    pull("crm.project");
    auto seen = distinct();
    studio.instead = nullptr;
    ASSERT_TRUE(pull("crm.project").ok());
    seen.merge(distinct());
    EXPECT_EQ(seen.size(), 330U) << "stopped after page " << stop;
  }
}

TEST_F(TavePull, CancellationIsHeeded) {
  addJobs(550);
  host.cancelAfter(150);
  EXPECT_EQ(pull("crm.project").status, GARLAND_E_CANCELLED);
}

} // namespace
} // namespace garland::tave
