#pragma once

/// What an agent may do at all: the manifest of its role, whatever its controllers order.

#include <filesystem>
#include <string>

#include "common/base/result.h"
#include "common/wire/message.h"
#include "schema/role.capnp.h"
#include "schema/task.capnp.h"

namespace relab::agent {

class RoleLimits {
 public:
  /// Reads NAME.json from a folder of manifests. Fault::invalid for a manifest with a kind or key
  /// that is not known.
  static Result<RoleLimits> load(const std::filesystem::path& folder, const std::string& name);
  static Result<RoleLimits> parse(std::string_view json);

  schema::RoleManifest::Reader manifest() const { return manifest_.reader(); }
  bool permits_kind(std::string_view arm) const;
  /// Every parameter with a `$limit` lies within the manifest's list of that name. Fault::refused,
  /// with what is permitted.
  Result<void> check_limits(schema::Task::Reader task) const;
  /// The same of the parameters alone, however deep within them the field is.
  Result<void> check_params(capnp::DynamicStruct::Reader params) const;

 private:
  explicit RoleLimits(Message<schema::RoleManifest> manifest) : manifest_(std::move(manifest)) {}
  Message<schema::RoleManifest> manifest_;
};

}  // namespace relab::agent
