// XML as WebDAV uses it: a small tree of elements known by namespace and name, never by prefix.
//
// Bounded and without surprises: documents with a DTD are refused (so there are no entities to
// expand), depth, number of elements and text are limited.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace garland::caldav {

struct Element {
  std::string name; // namespace, '|', local name: "DAV:|href"
  std::string text; // its own text, all pieces joined
  std::vector<std::pair<std::string, std::string>> attributes;
  std::vector<Element> children;

  // The first child of that name, or nullptr.
  Element const* child(std::string_view child_name) const;
  bool has(std::string_view child_name) const { return child(child_name) != nullptr; }
  // The child's text without surrounding white space; empty if there is no such child.
  std::string textOf(std::string_view child_name) const;
  std::string attribute(std::string_view attribute_name) const;
};

// The root of a document. sdk::Failure(providerBug) "... at line 3" if it is not one that is taken.
Element parseXml(std::string_view text);

// Text for use inside an element.
std::string escapeXml(std::string_view text);

std::string_view trimmed(std::string_view text);

} // namespace garland::caldav
