// AWS Signature Version 4: the headers that sign a request to a service of AWS, or to one that signs as AWS
// does. Presigned URLs and signatures over chunks do not belong here.
#pragma once

#include "host/egress/header_list.h"
#include "host/egress/signable.h"

#include <map>

namespace garland::egress {

// What is signed, step by step as AWS documents it.
struct SigV4 {
  std::map<std::string, std::string> headers; // that are signed: names in lower case, values as compared
  std::string signed_names;                   // "host;x-amz-date"
  std::string canonical_request;
  std::string scope; // "20150830/us-east-1/ses/aws4_request"
  std::string signature;
};

SigV4 signV4(Signable const& what, Credential const& credential, TimePoint now);

// Adds Authorization and the X-Amz-... headers that go with it.
void addSigV4(HeaderList& list, Signable const& what, Credential const& credential, TimePoint now);

// Headers that only egress sets if it signs so; by lower-case name.
bool isOwnOfSigV4(std::string_view name);

} // namespace garland::egress
