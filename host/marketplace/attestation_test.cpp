// Whose word counts, on what, and until when.
#include "host/marketplace/package_fixture.h"
#include "host/marketplace/statement.h"

#include <sys/stat.h>

namespace garland::marketplace::testing {
namespace {

using namespace std::chrono_literals;

std::string const kDigest(64, '1');

std::string made(Attestation const& attestation = attestationOf(kDigest)) {
  return makeAttestation(attestation, marketplaceKey()).value();
}

Trust trusting() { return {{marketplaceKey().publicKey()}, {}}; }

std::string objection(std::string const& text, Trust const& trust = trusting(), TimePoint now = kToday) {
  auto const counts = verifyAttestation(text, kDigest, trust, now);
  return counts ? "" : counts.error().message;
}

std::string refusedToMake(std::function<void(Attestation&)> const& change) {
  auto attestation = attestationOf(kDigest);
  change(attestation);
  auto const text = makeAttestation(attestation, marketplaceKey());
  return text ? "" : text.error().message;
}

TEST(Keys, AKeyIsPrivateAndComesBackAsItWas) {
  TestFolder folder;
  SystemRandom random;
  auto const key = SigningKey::make().value();
  ASSERT_TRUE(key.write(folder / "a.key", random));
  struct stat info{};
  ASSERT_EQ(::stat((folder / "a.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(SigningKey::read(folder / "a.key").value().publicKey(), key.publicKey());
  EXPECT_TRUE(isPublicKey(key.publicKey()));
  EXPECT_NE(SigningKey::make().value().publicKey(), key.publicKey());
}

TEST(Keys, AKeyFileIsNeverOverwrittenNorReadIfOthersCanReadIt) {
  TestFolder folder;
  SystemRandom random;
  auto const key = SigningKey::make().value();
  put(folder / "a.key", "precious");
  EXPECT_EQ(key.write(folder / "a.key", random).error().kind, ErrorKind::conflict);
  EXPECT_EQ(bytesOf(folder / "a.key"), "precious");
  ASSERT_TRUE(key.write(folder / "b.key", random));
  std::filesystem::permissions(folder / "b.key", std::filesystem::perms(0644));
  EXPECT_EQ(SigningKey::read(folder / "b.key").error().kind, ErrorKind::forbidden);
}

TEST(Keys, WhatIsNoKeyIsToldSo) {
  TestFolder folder;
  put(folder / "a.key", "-----BEGIN PRIVATE KEY-----\nMAAA\n-----END PRIVATE KEY-----\n");
  std::filesystem::permissions(folder / "a.key", std::filesystem::perms(0600));
  EXPECT_THAT(SigningKey::read(folder / "a.key").error().message, HasSubstr("holds no Ed25519 private key"));
}

TEST(Keys, PublicKeysAreReadLineByLine) {
  auto const key = marketplaceKey().publicKey();
  EXPECT_EQ(readPublicKeys("# ours\n\n" + key + "  # since May\r\n").value(), std::vector<std::string>{key});
  EXPECT_THAT(readPublicKeys(key + "\ned25519:zz\n").error().message, HasSubstr("line 2 is no public key"));
  EXPECT_THAT(readPublicKeys("-----BEGIN PRIVATE KEY-----\n").error().message,
              HasSubstr("this is a private key"));
}

TEST(Attestation, IsOfARunThatCounts) {
  EXPECT_THAT(refusedToMake([](auto& each) { each.profile = "quick"; }), HasSubstr("standard or full"));
  EXPECT_THAT(refusedToMake([](auto& each) { each.sandbox = "D"; }), HasSubstr("sandbox tier"));
  EXPECT_THAT(refusedToMake([](auto& each) { each.objects.clear(); }), HasSubstr("shared objects"));
  EXPECT_THAT(refusedToMake([](auto& each) { each.objects = {"f"}; }), HasSubstr("shared objects"));
}

TEST(Attestation, HoldsAnySeed) {
  auto from = attestationOf(kDigest);
  from.seed = 18'446'744'073'709'551'615U;
  EXPECT_EQ(readAttestation(made(from)).value().seed, from.seed);
}

TEST(Attestation, SaysWhatItWasMadeOf) {
  auto from = attestationOf(kDigest);
  from.findings = 2;
  from.waivers.push_back({"RES-01", "a leak in a library, reported", "reviewer", kToday + 24h * 30});
  auto const back = verifyAttestation(made(from), kDigest, trusting(), kToday).value();
  EXPECT_EQ(back.plugin_id, "example.packed");
  EXPECT_EQ(back.level, "silver");
  EXPECT_EQ(back.seed, 7U);
  EXPECT_EQ(back.profile, "standard");
  EXPECT_EQ(back.sandbox, "A");
  EXPECT_EQ(back.objects, from.objects);
  EXPECT_EQ(back.findings, 2);
  EXPECT_EQ(back.report_digest, std::string(64, 'e'));
  ASSERT_EQ(back.waivers.size(), 1U);
  EXPECT_EQ(back.waivers[0].reason, "a leak in a library, reported");
  EXPECT_EQ(back.key, marketplaceKey().publicKey());
}

TEST(Attestation, ExpiresAfter180DaysOrWithItsFirstWaiver) {
  auto const text = made();
  EXPECT_EQ(objection(text, trusting(), kToday + 180 * 24h - 1ms), "");
  EXPECT_THAT(objection(text, trusting(), kToday + 180 * 24h), HasSubstr("expired on 2026-12-10"));
  auto from = attestationOf(kDigest);
  from.waivers.push_back({"RES-01", "a reason", "reviewer", kToday + 24h * 30});
  EXPECT_THAT(objection(made(from), trusting(), kToday + 24h * 30), HasSubstr("expired on 2026-07-13"));
}

TEST(Attestation, OfTomorrowIsBelievedAndOfNextWeekIsNot) {
  EXPECT_EQ(objection(made(), trusting(), kToday - 23h), "");
  EXPECT_THAT(objection(made(), trusting(), kToday - 7 * 24h), HasSubstr("is yet to come"));
}

TEST(Attestation, OfAnotherPackageOrKeyDoesNotCount) {
  auto const counts = verifyAttestation(made(), std::string(64, '2'), trusting(), kToday);
  EXPECT_EQ(counts.error().message, "the attestation is of another package");
  auto const stranger = SigningKey::make().value();
  auto const text = makeAttestation(attestationOf(kDigest), stranger).value();
  EXPECT_THAT(objection(text), HasSubstr("which is no key of a trusted marketplace"));
  EXPECT_THAT(objection(made(), Trust{}), HasSubstr("which is no key of a trusted marketplace"));
}

TEST(Attestation, ThatWasChangedDoesNotCount) {
  auto const text = made();
  for (std::size_t place = 0; place < text.size(); ++place) {
    auto changed = text;
    changed[place] = static_cast<char>(changed[place] ^ 1);
    ASSERT_NE(objection(changed), "") << changed;
  }
}

TEST(Attestation, AnotherStatementOfTheSameKeyIsNone) {
  auto const signature =
      signStatement(json::object{{"type", "marketplace"}, {"package", kDigest}}, marketplaceKey());
  EXPECT_THAT(objection(signature), HasSubstr("a statement of another type than \"attestation\""));
  auto said = toJson(attestationOf(kDigest)).as_object();
  said.erase("key");
  said["expires"] = rfc3339(kToday + 365 * 24h);
  EXPECT_THAT(objection(signStatement(said, marketplaceKey())),
              HasSubstr("does not expire 180 days after its date"));
  said["expires"] = rfc3339(kToday + 180 * 24h);
  EXPECT_EQ(objection(signStatement(said, marketplaceKey())), "");
  said["more"] = true;
  EXPECT_THAT(objection(signStatement(said, marketplaceKey())),
              HasSubstr("members that an attestation does not have"));
}

TEST(Attestation, IsNotMadeOfNonsense) {
  EXPECT_THAT(refusedToMake([](auto& from) { from.level = "platinum"; }),
              HasSubstr("none of bronze, silver and gold"));
  EXPECT_THAT(refusedToMake([](auto& from) { from.package_digest = "1"; }),
              HasSubstr("no digest of a package"));
  EXPECT_THAT(refusedToMake([](auto& from) { from.suite_digest = ""; }),
              HasSubstr("the certification suite"));
  EXPECT_THAT(refusedToMake([](auto& from) { from.report_digest = "e"; }),
              HasSubstr("no digest of the report"));
  EXPECT_THAT(refusedToMake([](auto& from) { from.plugin_id = ""; }), HasSubstr("no plugin and version"));
  auto const waived = [](std::string reason, std::chrono::hours time) {
    return refusedToMake(
        [&](auto& from) { from.waivers.push_back({"RES-01", reason, "reviewer", kToday + time}); });
  };
  EXPECT_EQ(waived("a reason", 24h * 90), "");
  EXPECT_THAT(waived("", 24h), HasSubstr("without id, reason or approver"));
  EXPECT_THAT(waived("a reason", 24h * 91), HasSubstr("for more than 90 days"));
  EXPECT_THAT(waived("a reason", 0h), HasSubstr("had expired"));
}

TEST(Attestation, ThatCouldNotBeReadAgainIsNotMade) {
  EXPECT_THAT(refusedToMake([](auto& from) { from.plugin_id = std::string(2U << 20U, 'x'); }),
              HasSubstr("could never be read again"));
}

TEST(Revocations, APackageOrAKeyThatIsOnTheListDoesNotCountAnyMore) {
  RevocationList list{3, kToday, {{kDigest, "it charged twice", kToday}}};
  auto const text = makeRevocations(list, marketplaceKey()).value();
  auto const read = readRevocations(text, {marketplaceKey().publicKey()}).value();
  EXPECT_EQ(read.number, 3);
  auto trust = trusting();
  trust.revoked = read.items;
  EXPECT_THAT(objection(made(), trust), HasSubstr("was revoked on 2026-06-13, because it charged twice"));
  trust.revoked = {{marketplaceKey().publicKey(), "it was stolen", kToday}};
  EXPECT_THAT(objection(made(), trust),
              HasSubstr("a key that was revoked on 2026-06-13, because it was stolen"));
  trust.revoked = {{std::string(64, '2'), "of another", kToday}};
  EXPECT_EQ(objection(made(), trust), "");
}

TEST(Revocations, AsManyAsThereMayBeCanBeReadAndWhatCouldNotIsNotMade) {
  RevocationList list{4, kToday, {}};
  for (int i = 0; i < 100'000; ++i) {
    auto const number = std::to_string(i);
    list.items.push_back({std::string(64 - number.size(), '0') + number, "a reason", kToday});
  }
  auto const text = makeRevocations(list, marketplaceKey());
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(readRevocations(*text, {marketplaceKey().publicKey()}).value().items.size(), 100'000U);
  list.items.push_back({std::string(64, 'f'), "a reason", kToday});
  EXPECT_THAT(makeRevocations(list, marketplaceKey()).error().message,
              HasSubstr("could never be read again"));
  list.items = {{kDigest, std::string(17U << 20U, 'x'), kToday}};
  EXPECT_THAT(makeRevocations(list, marketplaceKey()).error().message,
              HasSubstr("could never be read again"));
}

TEST(Revocations, AListOfAStrangerAndOneThatWasChangedAreRefused) {
  auto const text = makeRevocations({1, kToday, {}}, SigningKey::make().value()).value();
  EXPECT_EQ(readRevocations(text, {marketplaceKey().publicKey()}).error().kind, ErrorKind::forbidden);
  auto ours = makeRevocations({1, kToday, {{kDigest, "a reason", kToday}}}, marketplaceKey()).value();
  ours.replace(ours.find("a reason"), 8, "no cause");
  EXPECT_FALSE(readRevocations(ours, {marketplaceKey().publicKey()}));
  EXPECT_FALSE(makeRevocations({1, kToday, {{"all", "a reason", kToday}}}, marketplaceKey()));
}

} // namespace
} // namespace garland::marketplace::testing
