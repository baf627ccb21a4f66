// A webhook's request as a person has it in files, for trying a signature by hand.
#pragma once

#include "host/base/result.h"
#include "host/webhooks/webhooks.h"

#include <optional>
#include <string>
#include <vector>

namespace garland::cli {

// All of a file, or of standard input for "-". The error is wrong usage and names the option.
Result<std::string> contentOf(std::string const& option, std::string const& file);

struct FiledRequest {
  webhooks::Request request;
  std::string headers_file, body_file; // "": none
  std::vector<int> header_lines;       // of each header, from 1
};

// Method and URL are for the caller to put in. Wrong usage with its place: no line "Name: value", a byte
// order mark before it, both files taken for each other.
Result<FiledRequest> requestFromFiles(std::string const& headers_file, std::string const& body_file);
// Where not the request was refused but what became of it in the files: a header that stands there twice, a
// byte order mark before the body.
std::optional<Error> spoiltByFiles(FiledRequest const& filed, webhooks::Verdict const& verdict);

} // namespace garland::cli
