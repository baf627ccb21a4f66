"""The calendar of a photographer's studio, made the same every time: 60 events, written as iCalendar.

One event per resource, as every CalDAV server keeps them. Weddings in two time zones across the change to
summer time, a weekly meeting with an exception and a moved date, all-day fairs, Unicode, long texts, one
wedding called off.
"""

import datetime as dt

BERLIN = """BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE"""

NEW_YORK = """BEGIN:VTIMEZONE
TZID:America/New_York
BEGIN:DAYLIGHT
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
TZNAME:EDT
DTSTART:20070311T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
TZNAME:EST
DTSTART:20071104T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
END:STANDARD
END:VTIMEZONE"""

PLACES = ["Gut Sonnenhof", "Schloss Lindenau", "Café Zürich", "Alte Mühle", "Rosengarten"]
COUPLES = ["Anaïs & Jörg", "Zoë & Łukasz", "Mei & Björn", "Priya & Tomás", "Noor & Émile", "Ingrid & Siân"]


def escape(text):
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def fold(line):
    """Lines of at most 75 bytes, continued by CRLF and a space, never inside a character."""
    out, current = [], b""
    for character in line:
        encoded = character.encode()
        if len(current) + len(encoded) > (75 if not out else 74):
            out.append(current)
            current = b""
        current += encoded
    out.append(current)
    return "\r\n ".join(part.decode() for part in out)


def component(lines, zones=()):
    text = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//garland//first-sync sample//EN"]
    for zone in zones:
        text += zone.split("\n")
    text += lines + ["END:VCALENDAR", ""]
    return "\r\n".join(fold(line) for line in text)


def event(uid, lines):
    return ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260105T080000Z"] + lines + ["END:VEVENT"]


def wedding(uid, title, day, place, zone="Europe/Berlin", description="", status="CONFIRMED"):
    start = day.strftime("%Y%m%dT140000")
    end = day.strftime("%Y%m%dT220000")
    lines = [
        f"SUMMARY:{escape(title)}",
        f"DTSTART;TZID={zone}:{start}",
        f"DTEND;TZID={zone}:{end}",
        f"LOCATION:{escape(place)}",
        f"STATUS:{status}",
        "CATEGORIES:wedding",
    ]
    if description:
        lines.append(f"DESCRIPTION:{escape(description)}")
    return component(event(uid, lines), [BERLIN if zone == "Europe/Berlin" else NEW_YORK])


def studio_calendar():
    """A list of (uid, iCalendar text): 60 events."""
    events = []
    saturday = dt.date(2026, 3, 7)  # the change to summer time lies in the fourth week
    schedule = "\n".join(f"{hour:02d}:{minute:02d} Foto-Gruppe {hour * 4 + minute // 15}: Familie, Freunde; Garten"
                         for hour in range(9, 23) for minute in (0, 15, 30, 45))
    for week in range(36):
        couple = COUPLES[week % len(COUPLES)]
        uid = f"wedding-{week:02d}@studio.example"
        zone = "America/New_York" if week % 9 == 4 else "Europe/Berlin"
        events.append((uid, wedding(uid, f"Wedding {couple}", saturday + dt.timedelta(weeks=week),
                                    PLACES[week % len(PLACES)], zone,
                                    schedule if week % 12 == 3 else "",
                                    "CANCELLED" if week == 17 else "CONFIRMED")))
    for month in range(1, 13):
        uid = f"accounts-{month:02d}@studio.example"
        first = dt.date(2026, month, 1)
        events.append((uid, component(event(uid, [
            "SUMMARY:Accounts due", f"DTSTART;VALUE=DATE:{first:%Y%m%d}",
            f"DTEND;VALUE=DATE:{first + dt.timedelta(days=1):%Y%m%d}", "TRANSP:TRANSPARENT"]))))
    for number, (title, start, days) in enumerate([
            ("Hochzeitsmesse Köln", dt.date(2026, 1, 17), 2), ("Studio closed", dt.date(2026, 8, 3), 14),
            ("展示会 東京", dt.date(2026, 11, 20), 3)]):
        uid = f"fair-{number}@studio.example"
        events.append((uid, component(event(uid, [
            f"SUMMARY:{title}", f"DTSTART;VALUE=DATE:{start:%Y%m%d}",
            f"DTEND;VALUE=DATE:{start + dt.timedelta(days=days):%Y%m%d}"]))))
    uid = "weekly@studio.example"
    events.append((uid, component(
        event(uid, ["SUMMARY:Editing round", "DTSTART;TZID=Europe/Berlin:20260302T090000",
                    "DTEND;TZID=Europe/Berlin:20260302T100000", "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=20",
                    "EXDATE;TZID=Europe/Berlin:20260406T090000"]) +
        event(uid, ["RECURRENCE-ID;TZID=Europe/Berlin:20260413T090000", "SUMMARY:Editing round (moved)",
                    "DTSTART;TZID=Europe/Berlin:20260414T110000", "DTEND;TZID=Europe/Berlin:20260414T120000"]),
        [BERLIN])))
    uid = "tasting@studio.example"
    events.append((uid, component(event(uid, [
        "SUMMARY:Menu tasting\\, every second month", "DTSTART;TZID=America/New_York:20260110T180000",
        "DURATION:PT2H30M", "RRULE:FREQ=MONTHLY;INTERVAL=2;BYDAY=2SA;UNTIL=20261231T235959Z"]), [NEW_YORK])))
    for number in range(7):
        uid = f"call-{number}@studio.example"
        day = dt.date(2026, 2, 2) + dt.timedelta(days=number * 11)
        events.append((uid, component(event(uid, [
            f"SUMMARY:Call with couple {number + 1}", f"DTSTART:{day:%Y%m%d}T170000Z",
            f"DTEND:{day:%Y%m%d}T173000Z",
            f"DESCRIPTION:{escape('Ideas; wishes, and a budget' + chr(10) + '💐 first draft')}"]))))
    return events


def season_archive(count):
    """One iCalendar text with `count` past bookings, for the sync that is interrupted."""
    lines = []
    for number in range(count):
        day = dt.date(2023, 1, 1) + dt.timedelta(days=number % 1000)
        lines += event(f"archive-{number:04d}@studio.example", [
            f"SUMMARY:Archive booking {number}", f"DTSTART:{day:%Y%m%d}T100000Z", f"DTEND:{day:%Y%m%d}T120000Z"])
    return component(lines)
