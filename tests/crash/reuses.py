"""What a strict provider wrote down, held against who was killed and who was asked to connect again. No input or output.

A token that is used twice ends a sign-in, so nobody may do that; but where a daemon was killed after its provider had given
the next one, and before that was durable, nobody knows the next one. That is a loss: `before` if not a byte of the answer had
left, `within` if some had. A token that was used, or whose access token was, had been kept: then it is no loss.
"""

import collections
import dataclasses

WORDS = ("ended while it waited for the answer to the renewal of ", ", or had just received it;")


@dataclasses.dataclass
class Verdict:
    renewals: int = 0
    before: int = 0
    within: int = 0
    reconnects: int = 0
    problems: list = dataclasses.field(default_factory=list)

    def line(self, kills):
        return (f"kills {kills}, renewals {self.renewals}, losses {self.before + self.within}, reconnects {self.reconnects}; "
                f"lost before the first byte left {self.before}, after it {self.within}")

    def shown(self, kills):
        """What is missing for this to have shown anything; nothing if all is there."""
        wanted = {"kill": kills, "renewal": self.renewals, "loss before the answer": self.before,
                  "loss within the answer": self.within}
        return [f"there was no {what}" for what, times in wanted.items() if not times]


def ended(process, killed):
    return process in killed or process == 0  # 0: it had when it was looked for


def why_no_loss(gave, entries, killed):
    """Why the token that `gave` tells of should not have been used twice; "" if it was lost."""
    if not ended(gave["pid"], killed):
        return "who had got the next one was never killed"
    if any(one["what"] == "opened" and one["access"] == gave["access"] for one in entries):
        return "the next one had been kept: its access token was used"
    if any(one["what"] == "asked" and one["token"] == gave["refresh"] for one in entries):
        return "the next one had been kept: it was used"
    return ""


def judge(entries, killed, seen):
    """`entries` of the journal; `killed`: processes; `seen`: {account, by, cause} of who was asked to connect again."""
    verdict = Verdict(reconnects=len(seen))
    gave = {one["used"]: one for one in entries if one["what"] == "gave"}
    begun = {one["number"] for one in entries if one["what"] == "answered"}
    lost, told = collections.Counter(), {}
    verdict.renewals = len(gave)
    for one in entries:
        if one["what"] != "refused":
            continue
        former, told[one["used"]] = told.get(one["used"]), one["pid"]
        if one["why"] != "used twice":
            if former is None or not ended(former, killed):  # else nobody was left to know of the refusal
                verdict.problems.append(f"{one['account']}: {one['used']} was tried and is {one['why']}")
            continue
        former = gave[one["used"]]
        if problem := why_no_loss(former, entries, killed):
            verdict.problems.append(f"{one['account']}: {one['used']} was used twice, though {problem}")
            continue
        lost[one["account"]] += 1
        if former["number"] in begun:
            verdict.within += 1
        else:
            verdict.before += 1
    verdict.problems += unlike(lost, seen)
    return verdict


def unlike(lost, seen):
    asked = collections.Counter(one["account"] for one in seen)
    for account in sorted(lost.keys() | asked.keys()):
        if lost[account] != asked[account]:
            yield f"{account}: {lost[account]} losses, and asked to connect again {asked[account]} times"
    for one in seen:
        if one["by"] != "host" or not all(word in one["cause"] for word in WORDS):
            yield f"{one['account']}: the cause is not told: {one['by']}: {one['cause']}"
