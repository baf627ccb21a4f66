// What is read out of mails: HTML, labels, forwarded mails, and who is believed.
#include "html_text.h"
#include "lead_lines.h"
#include "lead_mail.h"
#include "sender.h"

#include "host/mail/mail.h"
#include "tests/places/places.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace lead_email {
namespace {

std::string const here = garland::inSources("/plugins/listings/lead-email/");

std::string fileText(std::string const& path) {
  std::ifstream in(here + path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

intake::Mail mailOf(std::string const& path) {
  auto const mail = garland::mail::readMail(fileText("fixtures/" + path));
  EXPECT_TRUE(mail) << path;
  return garland::sdk::decode<intake::Mail>(*mail);
}

MailLayout mappingOf(std::string const& provider) {
  return readLayout(json::parse(fileText(provider + "/mapping.json")));
}

Trust const trusting{"mx.example.org", false, {"studio@example.org"}};

Reading read(std::string const& path, Trust const& trust = trusting) {
  return readLead(mailOf(path), mappingOf(path.substr(0, path.find('/'))), trust);
}

std::string value(Reading const& reading, std::string_view name) {
  auto const* found = reading.document.if_contains(name);
  return found == nullptr ? "(absent)" : std::string(found->get_string());
}

TEST(HtmlText, BlocksCellsAndBreaksAreLines) {
  EXPECT_EQ(
      textOfHtml(
          "<p>One<b> two</b></p>\n <div>three<br>four</div><table><tr><td>A</td><td> B </td></tr></table>"),
      "One two\nthree\nfour\nA\nB\n");
}

TEST(HtmlText, WhatIsNotShownIsNotText) {
  EXPECT_EQ(
      textOfHtml(
          "<head><title>x</title></head><!-- <p>no --><style>p>b{}</style><SCRIPT>if(a<b)</SCRIPT >yes"),
      "yes");
  EXPECT_EQ(textOfHtml("a<script>never closed"), "a");
  EXPECT_EQ(textOfHtml("a<!-- never closed"), "a");
}

TEST(HtmlText, EntitiesAreCharactersAndUnknownOnesStay) {
  EXPECT_EQ(textOfHtml("&lt;b&gt; &amp;amp; &Eacute;t&eacute; &#233;&#xE9; &#x1F600; 1&nbsp;2"),
            "<b> &amp; Été éé 😀 1 2");
  EXPECT_EQ(textOfHtml("AT&T &bogus; &#xD800; &#99999999999; &"), "AT&T &bogus; &#xD800; &#99999999999; &");
}

TEST(HtmlText, ALinkToTheWebIsFollowedByItsAddress) {
  EXPECT_EQ(
      textOfHtml(
          "<a class='x' href=\"https://x.example/a?b=1&amp;c=2\">View</a> <a href='mailto:a@b'>a@b</a>"),
      "View <https://x.example/a?b=1&c=2> a@b");
}

TEST(HtmlText, BrokenTagsLoseNoMoreThanThemselves) {
  EXPECT_EQ(textOfHtml("1 < 2 <3 a<b title=\"never closed>c"), "1 < 2 <3 ac");
  EXPECT_EQ(textOfHtml("a<"), "a<");
  EXPECT_EQ(textOfHtml("a<b"), "a");
}

TEST(HtmlText, DeepAndLongInputTakesOnePass) {
  std::string html;
  for (int i = 0; i < 200'000; ++i) html += "<div>";
  html += "x";
  EXPECT_EQ(textOfHtml(html), "x");
  EXPECT_EQ(textOfHtml(std::string(500'000, '<')).size(), 500'000U);
  std::string scripts;
  for (int i = 0; i < 50'000; ++i) scripts += "<script></x";
  EXPECT_EQ(textOfHtml(scripts), "");
  std::string quotes;
  for (int i = 0; i < 20'000; ++i) quotes += "<a b=\"";
  textOfHtml(quotes); // ends
}

Labels const labels{{"Name", "Wedding Date"}, {"Message"}, {"View lead"}, {"Unsubscribe"}};

TEST(LeadLines, ALabelStandsBeforeItsValueOrAboveIt) {
  auto const found = labelled(
      "Intro\n* wedding-date : June 12\n\nNAME\n\n  Anna  \nMessage:\none\n\ntwo\nUnsubscribe\nthree\n"
      "View lead <https://x.example/1>\n",
      labels);
  EXPECT_EQ(
      json::serialize(found),
      R"({"wedding_date":"June 12","name":"Anna","message":"one\n\ntwo","view_lead":"https://x.example/1"})");
}

TEST(LeadLines, ALabelWithoutValueTakesNotTheNextLabel) {
  EXPECT_EQ(json::serialize(labelled("Name:\nWedding date: May\n", labels)), R"({"wedding_date":"May"})");
}

TEST(LeadLines, ALineWhoseLabelIsNotListedIsNoPartOfTheLeadUntilItIs) {
  std::string const mail = "Name: Anna\nFavourite flower: peony\n";
  EXPECT_EQ(json::serialize(labelled(mail, labels)), R"({"name":"Anna"})");
  auto listed = labels;
  listed.values.emplace_back("Favourite Flower");
  EXPECT_EQ(json::serialize(labelled(mail, listed)), R"({"name":"Anna","favourite_flower":"peony"})");
}

TEST(LeadLines, WhatACoupleWritesReplacesNothingAboveIt) {
  auto const found = labelled("Name: Anna\nMessage: hi\nName: Somebody else\n", labels);
  EXPECT_EQ(found.at("name").as_string(), "Anna");
}

TEST(LeadLines, AMessageGoesOnOverLinesThatLookLikeLabelsOfWhatStandsAboveIt) {
  auto const found = labelled("Name: Anna\nWedding date: May\nMessage: Hi!\nWedding date: may change\n"
                              "Message: ends here\nUnsubscribe\nfooter\n",
                              labels);
  EXPECT_EQ(found.at("wedding_date").as_string(), "May");
  EXPECT_EQ(found.at("message").as_string(), "Hi!\nWedding date: may change\nMessage: ends here");
  EXPECT_EQ(json::serialize(labelled("Message: Hi!\nName: Anna\n", labels)),
            R"({"message":"Hi!","name":"Anna"})");
}

TEST(LeadLines, AForwardedMailBeginsBelowItsHeader) {
  auto const found = forwardedIn(
      "See this.\n> *From:* The Knot <Leads@TheKnot.com>\n> Subject: Hi\n> Date: today\n> To: me\n>\n"
      "> Hello\n> To: the moon\n");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->from, "leads@theknot.com");
  EXPECT_EQ(found->subject, "Hi");
  EXPECT_EQ(found->text, "\nHello\nTo: the moon\n");
  EXPECT_FALSE(forwardedIn("From: The Knot <leads@theknot.com>\nHello\nDate: today\nSubject: Hi\n"));
  EXPECT_FALSE(forwardedIn("From: here\nDate: today\nSubject: Hi\n"));
}

TEST(Sender, ADomainHoldsWhatIsBelowItAndNothingElse) {
  EXPECT_TRUE(ofDomain("a@theknot.com", "theknot.com"));
  EXPECT_TRUE(ofDomain("a@Mail.TheKnot.com", "theknot.com"));
  for (auto const* other :
       {"a@nottheknot.com", "a@theknot.com.evil.example", "theknot.com", "@theknot.com", "a@"})
    EXPECT_FALSE(ofDomain(other, "theknot.com")) << other;
}

TEST(Sender, OnlyTheTopmostLineOfTheServerThatIsBelievedCounts) {
  auto const says = [](std::vector<std::string> const& lines) {
    Headers headers;
    for (auto const& line : lines) headers.push_back({"Authentication-Results", line});
    return proven(headers, "mx.example.org", "leads@mail.theknot.com");
  };
  EXPECT_TRUE(says({"mx.example.org; dkim=pass header.d=theknot.com"}));
  EXPECT_TRUE(says({"MX.example.org 1; spf=fail; DKIM=pass (2048 bits; ok) header.i=@mail.theknot.com"}));
  EXPECT_TRUE(says({"other.example; dkim=fail", "mx.example.org; dmarc=pass header.from=mail.theknot.com"}));
  for (auto const* line :
       {"other.example; dkim=pass header.d=theknot.com", "mx.example.org; dkim=fail header.d=theknot.com",
        "mx.example.org; dkim=pass header.d=attacker.example",
        "mx.example.org; spf=pass smtp.mailfrom=theknot.com", "mx.example.org; dkim=pass header.d=com",
        "mx.example.org; dkim=pass header.from=theknot.com",
        "mx.example.org; none (; dkim=pass header.d=theknot.com)",
        "mx.example.org; x=\"; dkim=pass header.d=theknot.com\"",
        "mx.example.org; dkim=pass header.b=\"header.d=theknot.com\"", "mx.example.org", "", "; dkim=pass"})
    EXPECT_FALSE(says({line})) << line;
  EXPECT_FALSE(says({"mx.example.org; dkim=none", "mx.example.org; dkim=pass header.d=theknot.com"}))
      << "a line below the server's own was there before it";
  EXPECT_FALSE(proven({{"Authentication-Results", "; dkim=pass header.d=theknot.com"}}, "", "a@theknot.com"));
}

TEST(LeadMail, LabelsOfTextAndOfHtmlAreRead) {
  auto const text = read("the-knot/labels.eml");
  EXPECT_EQ(text.objection, "");
  EXPECT_EQ(value(text, "name"), "Anna Lind");
  EXPECT_EQ(value(text, "partner_s_name"), "Jonas Berg");
  EXPECT_EQ(value(text, "message"),
            "We love your pictures of the lake.\n\nIs June 12 still free? Our budget: we are flexible.");
  EXPECT_EQ(value(text, "mail_kind"), "lead");
  auto const html = read("the-knot/html_cells.eml");
  EXPECT_EQ(value(html, "full_name"), "Zoë Müller-O’Brien");
  EXPECT_EQ(value(html, "email_address"), "zoe@example.net") << "neither from a comment nor from a script";
  EXPECT_EQ(value(html, "number_of_guests"), "100–150");
  EXPECT_EQ(value(html, "note"), "Bonjour 😀\nWe marry in Saint-Étienne.\nA <b>small</b> wedding.");
  EXPECT_EQ(value(html, "view_lead"), "https://www.theknot.com/inbox?lead=77&ref=mail");
}

TEST(LeadMail, AMailForwardedByHandIsReadAsTheOneInside) {
  auto const gmail = read("the-knot/forwarded_gmail.eml");
  EXPECT_EQ(gmail.objection, "");
  EXPECT_EQ(value(gmail, "lead_id"), "TK-48213");
  EXPECT_EQ(value(gmail, "mail_kind"), "lead");
  auto const outlook = read("weddingwire/forwarded_outlook.eml");
  EXPECT_EQ(outlook.objection, "");
  EXPECT_EQ(value(outlook, "couple"), "Amélie & Lucía");
  EXPECT_EQ(read("the-knot/forwarded_gmail.eml", Trust{"mx.example.org", false, {}}).doubt,
            "the sender studio@example.org is not The Knot");
}

TEST(LeadMail, AForgedOrUnprovenSenderIsNotBelieved) {
  EXPECT_EQ(read("the-knot/forged.eml").doubt,
            "the sender leads@theknot.com.attacker.example is not The Knot");
  EXPECT_EQ(read("the-knot/unproven.eml").doubt,
            "mx.example.org does not say that DKIM or DMARC passed for leads@theknot.com");
  EXPECT_NE(read("the-knot/labels.eml", Trust{}).doubt.find("set authserv_id"), std::string::npos);
  EXPECT_EQ(read("the-knot/unproven.eml", Trust{"", true, {}}).doubt, "") << "the vendor wants it so";
  EXPECT_NE(read("the-knot/forged.eml", Trust{"", true, {}}).doubt, "");
}

TEST(LeadMail, AForwardedMailOfAnotherSenderIsNoLead) {
  auto mail = mailOf("the-knot/forwarded_gmail.eml");
  auto const at = mail.text.find("leads@theknot.com");
  mail.text.replace(at, 17, "evil@theknot.example");
  EXPECT_EQ(readLead(mail, mappingOf("the-knot"), trusting).objection,
            "this holds no forwarded mail of The Knot");
}

TEST(LeadMail, AMailOfTwoSendersOrNoneIsNotBelieved) {
  auto mail = mailOf("the-knot/labels.eml");
  mail.from.push_back({"", "evil@attacker.example"});
  EXPECT_EQ(readLead(mail, mappingOf("the-knot"), trusting).doubt, "this mail has no single sender");
  mail.from.clear();
  EXPECT_EQ(readLead(mail, mappingOf("the-knot"), trusting).doubt, "this mail has no single sender");
}

TEST(LeadMail, APersonsWordStandsForEveryProofOfTheSenderAndForNothingElse) {
  Trust told = trusting;
  told.accepted = true;
  for (auto const* file : {"the-knot/forged.eml", "the-knot/unproven.eml"}) {
    EXPECT_NE(read(file).doubt, "") << file;
    auto const reading = read(file, told);
    EXPECT_EQ(reading.doubt + reading.objection, "") << file;
    EXPECT_EQ(value(reading, "name"), "Anna Lind") << file;
  }
  auto mail = mailOf("the-knot/labels.eml");
  mail.from.push_back({"", "evil@attacker.example"});
  EXPECT_EQ(readLead(mail, mappingOf("the-knot"), told).doubt, "");
  told.forwarders.clear();
  EXPECT_EQ(value(read("the-knot/forwarded_gmail.eml", told), "lead_id"), "TK-48213")
      << "of a forwarder that no setting names, too, the mail inside is meant";
  mail.headers = {{"Garland-Unreadable", "it nests too deep"}};
  EXPECT_NE(readLead(mail, mappingOf("the-knot"), told).objection, "");
}

TEST(LeadMail, AMailThatTheHostCouldNotReadSaysWhy) {
  intake::Mail mail;
  mail.headers = {{"Garland-Unreadable", "it nests too deep"}};
  EXPECT_EQ(readLead(mail, mappingOf("zola"), trusting).objection,
            "this mail could not be read: it nests too deep");
}

TEST(LeadMail, SubjectsAreComparedWithoutTheirPrefixes) {
  auto mail = mailOf("zola/below.eml");
  EXPECT_EQ(value(readLead(mail, mappingOf("zola"), trusting), "mail_kind"), "lead");
  mail.subject = "Fwd: RE: your zola yearly summary";
  EXPECT_EQ(value(readLead(mail, mappingOf("zola"), trusting), "mail_kind"), "notice");
  mail.subject = "Your Zola summary";
  EXPECT_EQ(value(readLead(mail, mappingOf("zola"), trusting), "mail_kind"), "(absent)");
}

} // namespace
} // namespace lead_email
