#pragma once

/// Public keys as gpg reads them.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"

namespace relab::agent::sim {

struct OpenPgpKey {
  /// In capital hexadecimal digits.
  std::string fingerprint;
  bool is_sub = false;
  bool is_secret = false;
  std::uint8_t algorithm = 0;
  std::uint32_t created = 0;
  /// Of the user, where this packet is one: it has no fingerprint.
  std::string user = {};
};

/// The keys and users of one or more armoured blocks, in their order; none if there is no such
/// block. Version 4, which all known archives use. https://www.rfc-editor.org/rfc/rfc4880
std::vector<OpenPgpKey> read_keys(std::string_view text);

/// `gpg --with-colons --show-keys`
std::string with_colons(const std::vector<OpenPgpKey>& keys);

}  // namespace relab::agent::sim
