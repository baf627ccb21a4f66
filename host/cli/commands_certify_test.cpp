#include "host/cli/review.h"

#include <gtest/gtest.h>

namespace garland::cli {
namespace {

TEST(ReplayOptions, AreThoseThatTheFindingWasMadeWith) {
  CertifyWords words;
  words.path = "build/my-crm";
  EXPECT_EQ(replayOptions(words, {}), " --path build/my-crm");
  words.twin_dirs = {"twins", "more twins"};
  words.worker = "bin/garland-worker";
  words.allow_degraded = true;
  ReviewWords review;
  review.previous = "my-crm-1.0.0.gpk";
  EXPECT_EQ(replayOptions(words, review),
            " --path build/my-crm --previous my-crm-1.0.0.gpk --twins twins --twins 'more twins' "
            "--worker bin/garland-worker --allow-degraded-sandbox");
}

} // namespace
} // namespace garland::cli
