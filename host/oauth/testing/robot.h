// A client that vouches for itself, and what its provider makes of what it says.
#pragma once

#include "host/base/bytes.h"

#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/replace.hpp>
#include <boost/algorithm/string/split.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace garland::oauth::testing {

// Of no account anywhere.
inline std::string const kRobotKey = R"(-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC6NJF4CuoXbvAK
OuxlwpIKPjE56nfB1NZqwRr6tC9XHHu8IVHz2OKusCgyNt/+OjH+HQ/UXyTGcBu0
tKx0F8ZoXpA5+OQBcxiP9CVsG0UlETSo8voWbx/BCTeSfrxTd5DjXWy4o1rYst/I
lOEcAbwCiuHgG7T6c8ui1RwrnzTu0lPgMB03Y5KUop3Z//cZGLod5D2vG4y8jZFZ
ha1/MKpecw7oW4kX5GCE9WKIvZ01sHth3QJhJB79JVEdaCqGVvPzRq7UWRmFNtRK
9C6/BFrm1QptJ00qKp06YxPT3xbgX9AdIrfe7NiPAd1b1DO+MLwqjLHEgpOT2sJx
rtaSs7AhAgMBAAECggEACmGRZaGoJOfOsqdP1CmJllAa0vmHNTN+Q8Ph0u3WQNNJ
87Zg2QkztB0GlKwaB1SrwljQ79xhEr4f0U6MWcmUim+RN2YwogMOcMIiDvmjPHqN
1sh7GGKYIN04b66opbeiCIcGH3IeB7xLPSXNug+/sV2YU7P/vkHT7c9XS3hMDW9s
fMif3NBIL8Ut03Kz1TQTFJT1jFxukC1vqQi2XMrZedhGmpdIYlvxT1WUGpJTSWVH
eIyqpmFWwHs+QE07r1DWzIP4WuCF/mjq1IKch76eDsFjZCQ5eX8fH+OLe5OdpwD2
7ZYZ8mTNjifI04iB5fAkd4Vk1WiytWgctJ5uV1HidQKBgQDxqjhjJ8SSpNBCWzDg
NaLfumfaSH1FzUi15Wv1UFZhf2D3JmMAIrEONCHRgW+gUDRHesWjtt8A6elrKXjp
1bwxnj9FYKY35k9SOhjomjxwElYVW+zZxqpzSF3LrIIMpPZ+a/okAh+yeuFO57cv
jUXiQMraYkld6o4euoRApYuGTQKBgQDFQCv8K/PHRKCWRV8ErZ804lX3TZtAiJa4
1+87d4w7IADXx7lfhZ3X8gBTKwryEsuLDtxuX7i7pXo9ZA6ki+x/2cQJNfrh1eld
kSrLgUYeREVahPM4thVA8YkrsuiTbbE+4EH00LcU812RHH2+9AKyj2aOjCM8ak5U
qn4Wor/jJQKBgEDXGyn/kY6HChnDvelqerjsmtDGglYoLkoftEettn+SXcHyWr2+
kSLueeRshjbNTjmfh0fV2R+1oxtNlVOoNUZa3z8OH4sAEGhPjj9aoryvLsmsUHBe
DX3A/OmY74vU9w4Uipj+uOJ6ddll8pCfpxB9se/GT0kTle5IvRNbV4RBAoGBAIfA
koUK+su5v4usUqi1lUygOOnqz16qopC0jEExFaHbdLkNC9dh7jAgrXiPtwjDRrJ9
l9eeqVT7nhWCN1GnuyyCgxiTvgaPYfyzW/CTF97cvZ5+waXWKup3USByEP7mD4Zm
cP48ZsRUeaDVKvWwmeqqJrsUV2vM/fvnGsAZYlbBAoGADsffXummAzD9APIzVV2s
MAhlEnDTjb2ITTZmN54lU1aOwDfa9QHbMYVyrlLESJj0KJ5AGVq62g66YKeUNMNv
XHZJHop+ek+N14E+yv3QQ5kROO0sDKD/5wk6z1nM6UJJIOOqdtANmBli3TzyVriU
P1ucOyFJgRyA8Gs+IWSens8=
-----END PRIVATE KEY-----
)";

// The parts of an assertion, unpacked.
inline std::vector<std::string> partsOf(std::string_view assertion) {
  std::vector<std::string> parts;
  boost::algorithm::split(parts, std::string(assertion), boost::algorithm::is_any_of("."));
  for (auto& part : parts) {
    boost::algorithm::replace_all(part, "-", "+");
    boost::algorithm::replace_all(part, "_", "/");
    part.append((4 - part.size() % 4) % 4, '=');
    part = fromBase64(part).value();
  }
  return parts;
}

} // namespace garland::oauth::testing
