"""Waits until all is done that will be done, and reads what is there: at the daemons, and in the twins' ledgers."""

import re

import first_sync
import judge
import patience
from world import NotAnswered

MOST_AT_ONCE = 1000  # of a page; more of them still move


def number_in(text, before):
    found = re.fullmatch(before + r"(\d+)", text or "")
    return int(found[1]) if found else None


def numbers(texts, before):
    return [number for number in (number_in(text, before) for text in texts) if number is not None]


class Truth:
    def __init__(self, world, studio, webhooks, payments, additions, edits, followers):
        self.world, self.studio = world, studio  # studio: the connection of the twin of VSCO Workspace
        self.webhooks, self.payments, self.additions, self.edits = webhooks, payments, additions, edits
        self.daemon, self.followers = world.daemons[0], followers
        self.changes = []  # of the vendor that is followed, as far as they were read

    # ---- waiting

    def settle(self, seconds, until_certain):
        """What is still open when nothing has changed for so many seconds; nothing if all is done."""
        self.still, self.quiet = [], 0
        try:
            patience.until("all is done", lambda: self.all_done(until_certain), lambda: self.still, seconds,
                           max(seconds, patience.MOST), 0.5)
        except first_sync.Failed:
            return self.still or ["it has just been done"]
        return []

    def all_done(self, until_certain):
        try:
            self.still = self.still_open(until_certain)
        except (NotAnswered, first_sync.Failed) as problem:
            self.still = [str(problem)]
        self.quiet = 0 if self.still else self.quiet + 1
        return self.quiet == 2

    def still_open(self, until_certain):
        still = []
        for what, states in (("webhooks", ("waiting",)),
                             ("actions", ("waiting", "sent", *(("unknown",) if until_certain else ())))):
            for state in states:
                waiting = self.daemon.get(f"/api/integrations/{what}", state=state, limit=MOST_AT_ONCE)["items"]
                if waiting:
                    still.append(f"{len(waiting)} {what} are {state}")
        missing = sum(len(set(lane.announced) - set(self.links_of(lane))) for lane in self.webhooks)
        if missing:
            still.append(f"{missing} payments that webhooks told of are not here")
        run = self.synced()
        if run["state"] != "done" or any(run["pushed"].values()):
            still.append(f"a sync ended as {run['state']}: pushed {run['pushed']}, {run['problems'] or run['error']}")
        waiting = [record["id"] for record in self.records("crm.client", "crm.project") if record["waiting"]]
        if waiting:
            still.append(f"{len(waiting)} records wait to be written, such as {waiting[0]}")
        return still + self.behind()

    def wait_for_followers(self):
        patience.until("subscribers being told of all changes", lambda: not self.behind(), self.behind)

    def behind(self):
        newest = self.read_changes()
        return [f"a subscriber is at change {follower.at} of {newest}" for follower in self.followers if follower.at < newest]

    def read_changes(self):
        """The number of the newest."""
        while True:
            after = self.changes[-1]["sequence"] if self.changes else 0
            page = self.daemon.get("/api/integrations/changes", vendor_id=self.additions.vendor, after=after,
                                   limit=MOST_AT_ONCE)["items"]
            self.changes += page
            if not page:
                return after

    def synced(self):
        status, run, _ = self.daemon.request("POST", f"/api/integrations/sync/{self.studio}?wait=1", seconds=patience.STILL)
        if status not in (200, 202):
            raise first_sync.Failed(f"a sync could not be started: {status} {run}")
        return run

    def links_of(self, lane):
        """What its own vendor has: all lanes ask one provider, so another may have what this one still waits for."""
        return [link["external_id"]
                for record in self.daemon.all("/api/integrations/records", vendor_id=lane.vendor, kind="payments.payment")
                for link in record["links"]]

    def records(self, *kinds):
        return [record for kind in kinds
                for record in self.daemon.all("/api/integrations/records", vendor_id=self.additions.vendor, kind=kind)]

    # ---- judging

    def verdicts(self):
        """{stream: Verdict}"""
        found = {"webhooks": self.judged_webhooks(), "read webhooks": self.judged_hints()}
        found |= {"payments": self.judged_payments(), "additions": self.judged_additions(), "edits": self.judged_edits()}
        found["change feed"] = self.judged_feed()
        found["subscribers"] = self.judged_followers()
        return found

    def judged_webhooks(self):
        total = judge.Verdict()
        for lane in self.webhooks:
            listed = self.daemon.all("/api/integrations/webhooks", connection_id=lane.connection)
            there = numbers((item["dedupe_key"] for item in listed), f"id evt_lane{lane.lane}_")
            # They are listed by ids that begin with the time of day. What they tell of is asked of the provider, in any order.
            one_clock = self.daemon.clock is None
            total += judge.each_once(lane.acknowledged, there, ordered=one_clock).of(f"webhook of lane {lane.lane}")
            dead = [item["dedupe_key"] for item in listed if item["state"] == "dead"]
            total += judge.Verdict(0, lost=[f"{name}, which is dead" for name in dead])
        return total

    def judged_hints(self):
        """Whose webhook was acknowledged is fetched, and is one record of each vendor that was told."""
        total = judge.Verdict()
        for lane in self.webhooks:
            seen = judge.each_once(lane.announced, self.links_of(lane), ordered=False).of(f"payment told to lane {lane.lane}:")
            total += judge.Verdict(0, seen.lost, seen.doubled)
        return total

    def judged_payments(self):
        made = [entry["data"]["description"] for entry in self.world.payments.ledger()
                if entry["what"] == "payment_intent.created"]
        there = numbers(made, "payment ")
        verdict = judge.each_once(self.payments.acknowledged, there, ordered=False)
        actions = self.daemon.all("/api/integrations/actions")
        known = {number_in(action["idempotency_key"], "payment-"): action["state"] for action in actions}
        # The daemon says itself that it does not know yet; it has said nothing that is not so.
        self.in_doubt = [number for number in verdict.lost if known.get(number) == "unknown"]
        verdict.lost = [number for number in verdict.lost if number not in self.in_doubt]
        verdict.lost += [number for number in there if known.get(number) == "failed"]
        return verdict.of("payment")

    def judged_additions(self):
        made = [entry["data"]["lastName"] for entry in self.world.studio.ledger()
                if entry["what"] == "address-book.created"]
        at_studio = judge.each_once(self.additions.acknowledged, numbers(made, ""), ordered=False).of("client at the studio")
        here = numbers((record["data"]["name"] for record in self.records("crm.client")), "Client ")
        kept = judge.each_once(self.additions.acknowledged, here, ordered=False).of("client here")
        return at_studio + judge.Verdict(0, kept.lost, kept.doubled)

    def judged_edits(self):
        ledger = self.world.studio.ledger()
        notes = {link["external_id"]: record["data"].get("notes") for record in self.records("crm.project")
                 for link in record["links"]}
        total = judge.Verdict()
        for lane in self.edits:
            told = numbers((entry["data"].get("leadNotes") for entry in ledger
                            if entry["what"] == "job.changed" and entry["id"] == lane.job), "edit ")
            now = number_in(notes.get(lane.job), "edit ")
            total += judge.last_wins(lane.acknowledged, told, now or 0).of(f"edit of {lane.job}")
        return total

    def judged_feed(self):
        """Numbered without a repetition, upwards; and each record's versions too."""
        self.changes = []
        self.read_changes()
        sequence = [change["sequence"] for change in self.changes]
        total = judge.Verdict(0, [], judge.doubled(sequence), judge.out_of_order(sequence)).of("change")
        versions = {}
        for change in self.changes:
            versions.setdefault(change["record_id"], []).append(change["record_version"])
        for record, seen in versions.items():
            total += judge.Verdict(0, [], judge.doubled(seen), judge.out_of_order(seen)).of(f"version of {record}:")
        return total

    def judged_followers(self):
        """Each was told of each change, once, in their order, however often it was cut off."""
        there, total = [change["sequence"] for change in self.changes], judge.Verdict()
        for number, follower in enumerate(self.followers, 1):
            seen = judge.each_once(there, list(follower.seen), ordered=True).of(f"change at subscriber {number}:")
            total += judge.Verdict(0, seen.lost, seen.doubled, seen.out_of_order)
        return total
