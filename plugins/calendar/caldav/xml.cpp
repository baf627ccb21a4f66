#include "xml.h"

#include <garland/sdk/error.hpp>

#include <expat.h>

#include <cstdint>
#include <memory>
#include <new>

namespace garland::caldav {
namespace {

constexpr std::size_t max_depth = 32;
constexpr std::size_t max_elements = 500'000;

class Builder {
public:
  Builder() : parser_(XML_ParserCreateNS(nullptr, '|'), &XML_ParserFree) {
    if (!parser_) throw std::bad_alloc();
    // Any salt but 0: left to itself Expat would ask the system for entropy, which a sandbox may not give.
    XML_SetHashSalt(parser_.get(), static_cast<unsigned long>(reinterpret_cast<std::uintptr_t>(this)) | 1UL);
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(parser_.get(), &Builder::onStart, &Builder::onEnd);
    XML_SetCharacterDataHandler(parser_.get(), &Builder::onText);
    XML_SetStartDoctypeDeclHandler(parser_.get(), &Builder::onDoctype);
  }

  Element build(std::string_view text) {
    if (text.size() > INT32_MAX) fail("is too large");
    auto const status = XML_Parse(parser_.get(), text.data(), static_cast<int>(text.size()), XML_TRUE);
    if (problem_ != nullptr) fail(problem_);
    bool const no_memory = out_of_memory_ || XML_GetErrorCode(parser_.get()) == XML_ERROR_NO_MEMORY;
    if (status != XML_STATUS_OK && no_memory) throw std::bad_alloc();
    if (status != XML_STATUS_OK) fail(XML_ErrorString(XML_GetErrorCode(parser_.get())));
    return std::move(root_);
  }

private:
  [[noreturn]] void fail(std::string_view why) const {
    throw sdk::Failure(sdk::Kind::providerBug, "the answer is not XML that can be read: " + std::string(why) +
                                                   " at line " +
                                                   std::to_string(XML_GetCurrentLineNumber(parser_.get())));
  }

  // Handlers are called by C code, so they note what is wrong instead of throwing.
  void stop(char const* why) {
    if (problem_ == nullptr) problem_ = why;
    XML_StopParser(parser_.get(), XML_FALSE);
  }

  template <class Work> static void noting(void* self, Work work) noexcept {
    auto& builder = *static_cast<Builder*>(self);
    try {
      work(builder);
    } catch (std::bad_alloc const&) {
      builder.out_of_memory_ = true;
      XML_StopParser(builder.parser_.get(), XML_FALSE);
    }
  }

  static void onDoctype(void* self, XML_Char const*, XML_Char const*, XML_Char const*, int) noexcept {
    static_cast<Builder*>(self)->stop("a DTD is not allowed");
  }

  static void onStart(void* self, XML_Char const* name, XML_Char const** attributes) noexcept {
    noting(self, [&](Builder& builder) { builder.start(name, attributes); });
  }

  void start(XML_Char const* name, XML_Char const** attributes) {
    if (open_.size() >= max_depth) return stop("elements are nested too deep");
    if (++elements_ > max_elements) return stop("there are too many elements");
    Element* element = &root_;
    if (!open_.empty()) element = &open_.back()->children.emplace_back();
    element->name = name;
    for (; attributes[0] != nullptr; attributes += 2)
      element->attributes.emplace_back(attributes[0], attributes[1]);
    open_.push_back(element);
  }

  static void onEnd(void* self, XML_Char const*) noexcept { static_cast<Builder*>(self)->open_.pop_back(); }

  static void onText(void* self, XML_Char const* text, int length) noexcept {
    noting(self, [&](Builder& builder) {
      auto& open = builder.open_;
      if (!open.empty()) open.back()->text.append(text, static_cast<std::size_t>(length));
    });
  }

  std::unique_ptr<std::remove_pointer_t<XML_Parser>, decltype(&XML_ParserFree)> parser_;
  Element root_;
  // Pointers into vectors that grow only below the last of them.
  std::vector<Element*> open_;
  std::size_t elements_ = 0;
  char const* problem_ = nullptr;
  bool out_of_memory_ = false;
};

} // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  auto const first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

Element const* Element::child(std::string_view child_name) const {
  for (auto const& one : children)
    if (one.name == child_name) return &one;
  return nullptr;
}

std::string Element::textOf(std::string_view child_name) const {
  auto const* found = child(child_name);
  return found == nullptr ? std::string() : std::string(trimmed(found->text));
}

std::string Element::attribute(std::string_view attribute_name) const {
  for (auto const& [name_of, value] : attributes)
    if (name_of == attribute_name) return value;
  return {};
}

Element parseXml(std::string_view text) { return Builder().build(text); }

std::string escapeXml(std::string_view text) {
  std::string out;
  for (char const c : text) {
    switch (c) {
    case '&': out += "&amp;"; break;
    case '<': out += "&lt;"; break;
    case '>': out += "&gt;"; break;
    case '"': out += "&quot;"; break;
    default: out += c;
    }
  }
  return out;
}

} // namespace garland::caldav
