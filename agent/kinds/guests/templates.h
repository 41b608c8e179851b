#pragma once

/// Templates of containers: those on a storage, and those that Proxmox's index offers.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent::guests {

struct Template {
  std::string file;  ///< "debian-12-standard_12.12-1_amd64.tar.zst"
  std::string volid = {};
  std::uint64_t size = 0;
  std::string sha512 = {};  ///< by the index; empty: it does not tell
};

/// By pvesh. Fault::damaged if it does not answer, or prints something else.
Result<std::vector<Template>> templates_on(Host& host, const std::string& storage);

/// Every entry of the files in /var/lib/pve-manager/apl-info: records of "Key: value" lines with an
/// empty line between them. Nothing where no index was ever fetched.
Result<std::vector<Template>> templates_offered(Host& host);
std::vector<Template> parse_template_index(std::string_view text);

/// Of those whose name begins so the one with the highest version; nothing if there is none.
std::optional<Template> newest(const std::vector<Template>& all, std::string_view beginning);
/// Numbers in names count as numbers: 12.2 is before 12.12.
bool is_older(std::string_view one, std::string_view other);

}  // namespace relab::agent::guests
