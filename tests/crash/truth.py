"""Waits until all is done that will be done, and reads what is there: at the daemons, and in the twins' ledgers."""

import re
import time

import first_sync
import judge
from world import NotAnswered


def number_in(text, before):
    found = re.fullmatch(before + r"(\d+)", text or "")
    return int(found[1]) if found else None


def numbers(texts, before):
    return [number for number in (number_in(text, before) for text in texts) if number is not None]


class Truth:
    def __init__(self, world, studio, webhooks, payments, additions, edits):
        self.world, self.studio = world, studio  # studio: the connection of the twin of VSCO Workspace
        self.webhooks, self.payments, self.additions, self.edits = webhooks, payments, additions, edits
        self.daemon = world.daemons[0]

    # ---- waiting

    def settle(self, seconds, until_certain):
        """What is still open when time is up; nothing if all is done."""
        deadline, quiet = time.monotonic() + seconds, 0
        while True:
            try:
                still = self.still_open(until_certain)
            except (NotAnswered, first_sync.Failed) as problem:
                still = [str(problem)]
            quiet = 0 if still else quiet + 1
            if quiet == 2 or time.monotonic() > deadline:
                return still
            time.sleep(0.5)

    def still_open(self, until_certain):
        still = []
        if self.daemon.get("/api/integrations/webhooks", state="waiting", limit=1)["items"]:
            still.append("webhooks wait to be read")
        for state in ("waiting", "sent", *(("unknown",) if until_certain else ())):
            if self.daemon.get("/api/integrations/actions", state=state, limit=1)["items"]:
                still.append(f"actions are {state}")
        missing = len(self.announced() - self.payments_here())
        if missing:
            still.append(f"{missing} payments that webhooks told of are not here")
        run = self.synced()
        if run["state"] != "done" or any(run["pushed"].values()):
            still.append(f"a sync ended as {run['state']}: pushed {run['pushed']}, {run['problems'] or run['error']}")
        waiting = [record["id"] for record in self.records("crm.client", "crm.project") if record["waiting"]]
        if waiting:
            still.append(f"{len(waiting)} records wait to be written, such as {waiting[0]}")
        return still

    def synced(self):
        status, run, _ = self.daemon.request("POST", f"/api/integrations/sync/{self.studio}?wait=1", seconds=120)
        if status not in (200, 202):
            raise first_sync.Failed(f"a sync could not be started: {status} {run}")
        return run

    def announced(self):
        return {payment for lane in self.webhooks for payment in lane.announced}

    def payments_here(self):
        return {link["external_id"] for record in self.payment_records() for link in record["links"]}

    def payment_records(self):
        return [record for lane in self.webhooks
                for record in self.daemon.all("/api/integrations/records", vendor_id=lane.vendor, kind="payments.payment")]

    def records(self, *kinds):
        return [record for kind in kinds
                for record in self.daemon.all("/api/integrations/records", vendor_id=self.additions.vendor, kind=kind)]

    # ---- judging

    def verdicts(self):
        """{stream: Verdict}"""
        found = {"webhooks": self.judged_webhooks(), "read webhooks": self.judged_hints()}
        found |= {"payments": self.judged_payments(), "additions": self.judged_additions(), "edits": self.judged_edits()}
        found["change feed"] = self.judged_feed()
        return found

    def judged_webhooks(self):
        total = judge.Verdict()
        for lane in self.webhooks:
            listed = self.daemon.all("/api/integrations/webhooks", connection_id=lane.connection)
            there = numbers((item["dedupe_key"] for item in listed), f"id evt_lane{lane.lane}_")
            total += judge.each_once(lane.acknowledged, there, ordered=True).of(f"webhook of lane {lane.lane}")
            dead = [item["dedupe_key"] for item in listed if item["state"] == "dead"]
            total += judge.Verdict(0, lost=[f"{name}, which is dead" for name in dead])
        return total

    def judged_hints(self):
        """Whose webhook was acknowledged is fetched, and is one record of each vendor that was told."""
        total = judge.Verdict()
        for lane in self.webhooks:
            records = self.daemon.all("/api/integrations/records", vendor_id=lane.vendor, kind="payments.payment")
            there = [link["external_id"] for record in records for link in record["links"]]
            seen = judge.each_once(lane.announced, there, ordered=False).of(f"payment told to lane {lane.lane}:")
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
        changes, after = [], 0
        while True:
            page = self.daemon.get("/api/integrations/changes", vendor_id=self.additions.vendor, after=after, limit=1000)
            changes += page["items"]
            if not page["items"]:
                break
            after = page["next_after"]
        sequence = [change["sequence"] for change in changes]
        total = judge.Verdict(0, [], judge.doubled(sequence), judge.out_of_order(sequence)).of("change")
        versions = {}
        for change in changes:
            versions.setdefault(change["record_id"], []).append(change["record_version"])
        for record, seen in versions.items():
            total += judge.Verdict(0, [], judge.doubled(seen), judge.out_of_order(seen)).of(f"version of {record}:")
        return total
