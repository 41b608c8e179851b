#pragma once

/// Files of sources of packages: the one that we write, and those of others that we switch off.

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::system {

/// A source of packages, as deb822 has it.
struct Source {
  std::vector<std::string> uris;
  std::vector<std::string> suites;
  std::vector<std::string> components;
  std::vector<std::string> architectures;
  /// Path of the key that signs it.
  std::string signed_by;
};

std::string to_deb822(const Source& source);

/// The same file with every source in it switched off, and nothing else changed: "Enabled: no" in
/// each paragraph of a .sources file, and a "#" before each line of a .list file.
std::string switched_off(std::string_view text, bool is_deb822);

/// Fingerprints of the primary keys, out of what `gpg --with-colons --show-keys` prints.
/// Fault::invalid if a secret key is among them.
Result<std::vector<std::string>> parse_fingerprints(std::string_view text);

}  // namespace relab::agent::system
