#pragma once

/// Proxmox's section format ("type: id", then indented "key value" lines): storage.cfg, jobs.cfg,
/// datastore.cfg and their kin.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace relab::agent {

struct ConfigSection {
  std::string type;
  std::string id;
  std::vector<std::pair<std::string, std::string>> values;  ///< a bare key has ""

  /// The value of a key, or "".
  std::string value(std::string_view key) const;
  bool has(std::string_view key) const;
  /// A bare key counts as true, as in Proxmox.
  bool truth(std::string_view key) const;
};

/// The sections in their order; empty text has none. Fault::damaged, with the number of the line
/// and nothing of its content, for a line that is neither header nor value.
Result<std::vector<ConfigSection>> parse_section_config(std::string_view text,
                                                        std::string_view what);

}  // namespace relab::agent
