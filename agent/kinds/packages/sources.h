#pragma once

/// Where apt takes packages from, in both of its formats, and how it is told to prefer them.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::packages {

/// Still with what secrets its URIs have.
struct Source {
  std::uint32_t line = 0;
  bool enabled = true;
  std::string types = {};
  std::string uris = {};
  std::string suites = {};
  std::string components = {};
  std::string signed_by = {};
  std::string options = {};

  bool operator==(const Source&) const = default;
};

/// One entry a line: "deb [options] uri suite component...". Fault::damaged with the number of a
/// line that is none: apt stops there, too.
Result<std::vector<Source>> parse_source_list(std::string_view text);

/// Stanzas with Types, URIs and Suites.
Result<std::vector<Source>> parse_sources(std::string_view text);

struct Pin {
  std::string packages = {};
  std::string pin = {};
  std::string priority = {};

  bool operator==(const Pin&) const = default;
};

/// A file of apt's preferences. Fault::damaged for a stanza without Package, Pin or Pin-Priority.
Result<std::vector<Pin>> parse_pins(std::string_view text);

}  // namespace relab::agent::packages
