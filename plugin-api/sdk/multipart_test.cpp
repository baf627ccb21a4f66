// Bodies of several parts: how they look, what a host gets to send, and what another parser reads out of
// them.
#define GARLAND_CONNECTOR_ID "test.upload"
#define GARLAND_CONNECTOR_VERSION "1.0.0"

#include <garland/sdk/connector.hpp>
#include <garland/sdk/form.hpp>
#include <garland/testing/fake_host.hpp>

#include "host/base/bytes.h"
#include "tests/places/places.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace garland::sdk {
namespace {

namespace fake = garland::testing;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr auto manifest = R"({
  "manifest": 1, "id": "test.upload", "name": "Upload", "version": "1.0.0", "category": "portfolio",
  "summary": "A test.", "operations": ["test.upload/1"],
  "auth": [{"slot": "key", "scheme": "bearer", "fields": ["token"]}], "hosts": ["api.example.com"]
})";

struct Photo {
  std::string album;
  std::string bytes;
};
GARLAND_RECORD(Photo, album, bytes)

class Upload final : public Connector {
public:
  void upload(Account& account, Photo const& photo) {
    account.setBase("https://api.example.com/v2/");
    account.fetch(form::post(
        "photos", form::multipart({{"album", photo.album}, {"photo", photo.bytes, "1.jpg", "image/jpeg"}})));
  }
  static std::span<OperationEntry const> operations() {
    static constexpr OperationEntry table[] = {operation<&Upload::upload>("test.upload/1")};
    return table;
  }
};

} // namespace
} // namespace garland::sdk

GARLAND_CONNECTOR(garland::sdk::Upload)

namespace garland::sdk {
namespace {

TEST(Multipart, HasItsPartsBetweenBoundaries) {
  auto const body =
      form::multipart({{"from", "a@x.test"}, {"file", "bytes\r\n", "a \"b\".txt", "text/plain"}});
  auto const boundary = body.content_type.substr(std::string("multipart/form-data; boundary=").size());
  EXPECT_EQ(body.bytes,
            "--" + boundary + "\r\nContent-Disposition: form-data; name=\"from\"\r\n\r\na@x.test\r\n--" +
                boundary +
                "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a %22b%22.txt\"\r\n"
                "Content-Type: text/plain\r\n\r\nbytes\r\n\r\n--" +
                boundary + "--\r\n");
}

TEST(Multipart, ANameCannotBreakOut) {
  auto const body = form::multipart({{"a\"\r\nX: y", "1"}});
  EXPECT_THAT(body.bytes, HasSubstr("name=\"a%22%0D%0AX: y\""));
}

TEST(Multipart, ATypeCannotBreakOutEither) {
  EXPECT_THROW(form::multipart({{"file", "x", "a", "text/plain\r\nX: y"}}), Failure);
}

TEST(Multipart, AHostGetsTypeAndBytesAndTheSameOnesAgain) {
  fake::FakeHost host(&garland_entry_v1, manifest);
  host.serve([](fake::HttpRequest const&) { return fake::HttpResponse{.status = 201, .body = "{}"}; });
  for (int run = 0; run < 2; ++run)
    ASSERT_TRUE(host.run("test.upload/1", {{"album", "7"}, {"bytes", "any bytes"}}).ok());
  auto const& first = host.requests().at(0);
  EXPECT_EQ(first.method, "POST");
  EXPECT_EQ(first.url, "https://api.example.com/v2/photos");
  EXPECT_THAT(first.header("content-type"), StartsWith("multipart/form-data; boundary=garland-"));
  EXPECT_THAT(first.body,
              HasSubstr("name=\"photo\"; filename=\"1.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"));
  EXPECT_EQ(first.body, host.requests().at(1).body);
  EXPECT_EQ(first.header("content-type"), host.requests().at(1).header("content-type"));
}

std::string everyByte() {
  std::string bytes;
  for (int repeat = 0; repeat < 3; ++repeat)
    for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  return bytes;
}

// The parser of Python's standard library reads what was written.
TEST(Multipart, AnotherParserReadsTheSameParts) {
  std::vector<std::vector<form::Part>> const bodies{
      {{"a", "1"}},
      {{"empty", ""}, {"break", "\r\n"}, {"end", "x\r\n--"}},
      {{"album", "Hochzeit \xc3\x84nne"}, {"photo", everyByte(), "1.jpg", "image/jpeg"}},
      {{"looks like a boundary", "\r\n--garland-1\r\nContent-Type: x\r\n\r\n--garland-1--\r\n", "b; c.txt"}},
      {{"twice", "1"}, {"twice", "2"}, {"", "no name", "", "text/plain"}}};
  auto const folder = std::filesystem::path(::testing::TempDir()) / "garland-multipart";
  std::filesystem::create_directories(folder);
  json::array cases;
  for (auto const& parts : bodies) {
    auto const body = form::multipart(parts);
    json::array wanted;
    for (auto const& part : parts) {
      json::object one{{"name", part.name}, {"content", base64(part.content)}};
      if (part.file_name) one["file_name"] = *part.file_name;
      if (!part.content_type.empty()) one["type"] = part.content_type;
      wanted.push_back(std::move(one));
    }
    cases.push_back(
        {{"type", body.content_type}, {"body", base64(body.bytes)}, {"parts", std::move(wanted)}});
  }
  auto const file = folder / "cases.json";
  std::ofstream(file) << json::serialize(cases);
  auto const command =
      "python3 '" + inSources("/plugin-api/sdk/multipart_check.py") + "' '" + file.string() + "'";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  std::filesystem::remove_all(folder);
}

} // namespace
} // namespace garland::sdk
