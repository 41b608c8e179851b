#include "controller/rehearsal/parcels.h"

#include <fmt/format.h>

#include "common/base/file.h"
#include "common/base/version.h"
#include "controller/rehearsal/roles.h"

namespace relab::rehearsal {

std::map<std::string, std::string> parcel_contents() {
  std::map<std::string, std::string> contents;
  const auto add = [&](const std::string& package, std::string_view depends) {
    contents.emplace(fmt::format("{}_{}_amd64.deb", package, version),
                     fmt::format("Package: {}\nVersion: {}\nArchitecture: amd64\n{}", package,
                                 version, depends));
  };
  add("relab-agent", "");
  for (const auto& [role, manifest] : role_manifests())
    add("relab-agent-" + role, fmt::format("Depends: relab-agent (= {})\n", version));
  return contents;
}

Result<std::vector<controller::OfferedParcel>> make_parcels(const std::filesystem::path& folder) {
  RELAB_CHECK(make_private_folder(folder));
  for (const auto& [name, content] : parcel_contents())
    RELAB_CHECK(replace_file(folder / name, content));
  return controller::read_parcels(folder);
}

}  // namespace relab::rehearsal
