// One cause, told once: findings of a check that say the same in many places.
#include "certification/certification.h"

#include <algorithm>

namespace garland::certification {

std::vector<Folded> folded(std::vector<Finding> const& findings) {
  std::vector<Folded> out;
  for (auto const& finding : findings) {
    auto const same = std::ranges::find_if(out, [&](Folded const& each) {
      return each.first->check == finding.check && each.first->outcome == finding.outcome &&
             each.first->what == finding.what;
    });
    if (same == out.end())
      out.push_back({&finding, {}});
    else
      same->more.push_back(&finding);
  }
  return out;
}

std::string morePlaces(std::size_t count) {
  return "and " + std::to_string(count) + (count == 1 ? " more place" : " more places");
}

} // namespace garland::certification
