#pragma once

/// What an agent may do at all: the manifests of its roles, whatever its controllers order.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/listed_commands.h"
#include "common/base/result.h"
#include "common/wire/message.h"
#include "schema/role.capnp.h"
#include "schema/task.capnp.h"
#include "schema/wire.capnp.h"

namespace relab::agent {

/// The names of the manifests in this folder, in their order. Fault::missing if there is none.
Result<std::vector<std::string>> roles_installed_in(const std::filesystem::path& folder);

/// Bytes of manifests in a hello, so that it never outgrows a frame.
inline constexpr std::size_t told_size_max = std::size_t{256} << 10U;

class RoleLimits {
 public:
  /// Of no role: nothing is permitted.
  RoleLimits() = default;
  /// Of the roles "arr+monitoring", or, for no name, of all that are in the folder, each in a
  /// NAME.json. Fault::missing if there is none, ::invalid for a manifest of another name, with a
  /// kind or key that is not known, or with a command that cannot be one.
  static Result<RoleLimits> load(const std::filesystem::path& folder, std::string_view names);
  /// Of one manifest.
  static Result<RoleLimits> parse(std::string_view json);

  /// "arr+monitoring"
  std::string name() const;
  /// Each once.
  std::vector<std::string> kinds() const;
  /// Puts the manifests into a hello; none of them if they would take more than `told_size_max`.
  void tell(schema::Hello::Builder hello) const;
  bool permits_kind(std::string_view arm) const;
  /// Of every manifest that permits the kind which runs them; of two by one name, the first one's.
  ListedCommands commands() const;
  /// One and the same manifest permits the kind, and of its parameters everything with a `$limit`
  /// lies within its list of that name, however deep the field is. Fault::refused, with the name of
  /// the list.
  Result<void> check_limits(schema::Task::Reader task) const;

 private:
  std::vector<Message<schema::RoleManifest>> manifests_;
};

/// That everything with a `$limit` lies within this manifest's lists; a parameter that may be
/// absent, and is, lies within all of them. Fault::refused.
Result<void> check_params(schema::RoleManifest::Reader role, capnp::DynamicStruct::Reader params);

}  // namespace relab::agent
