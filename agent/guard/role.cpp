#include "agent/guard/role.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/kind.h"
#include "common/base/file.h"
#include "common/reflect/notes.h"

namespace relab::agent {

namespace {

namespace fs = std::filesystem;

bool holds_path(const std::string& folder, const fs::path& path) {
  const auto normal = path.lexically_normal();
  if (!normal.is_absolute() || normal != path) return false;
  const auto relative = normal.lexically_relative(fs::path(folder).lexically_normal());
  return !relative.empty() && *relative.begin() != "..";
}

bool within(schema::RoleManifest::Reader role, std::string_view list,
            const capnp::DynamicValue::Reader& value) {
  if (list == "vmids" && value.getType() == capnp::DynamicValue::UINT) {
    const auto vmid = value.as<std::uint64_t>();
    return any_in(role.getVmids(),
                  [&](auto range) { return range.getFirst() <= vmid && vmid <= range.getLast(); });
  }
  if (value.getType() != capnp::DynamicValue::TEXT) return false;
  const auto text = str(value.as<capnp::Text>());
  if (list == "pools")
    return any_in(role.getPools(), [&](auto pool) { return view(pool) == text; });
  if (list == "paths")
    return any_in(role.getPaths(), [&](auto folder) { return holds_path(str(folder), text); });
  return false;
}

Result<void> check_value(schema::RoleManifest::Reader role, std::string_view list,
                         std::string_view field, const capnp::DynamicValue::Reader& value) {
  if (value.getType() == capnp::DynamicValue::LIST) {
    for (const auto& element : value.as<capnp::DynamicList>())
      RELAB_CHECK(check_value(role, list, field, element));
    return {};
  }
  if (within(role, list, value)) return {};
  return fail(
      Fault::refused,
      fmt::format("the role '{}' does not permit this value of '{}': it is not within its {}",
                  str(role.getName()), field, list));
}

Result<void> check_fields(schema::RoleManifest::Reader role, capnp::DynamicStruct::Reader params);

/// A limit may be written on a field of a struct within the parameters.
Result<void> check_inside(schema::RoleManifest::Reader role,
                          const capnp::DynamicValue::Reader& value) {
  if (value.getType() == capnp::DynamicValue::STRUCT)
    return check_fields(role, value.as<capnp::DynamicStruct>());
  if (value.getType() == capnp::DynamicValue::LIST)
    for (const auto& element : value.as<capnp::DynamicList>())
      RELAB_CHECK(check_inside(role, element));
  return {};
}

Result<void> check_field(schema::RoleManifest::Reader role, capnp::DynamicStruct::Reader params,
                         capnp::StructSchema::Field field) {
  const auto name = field.getProto().getName();
  const auto list = reflect::notes_of(field).limit;
  if (list.empty()) return check_inside(role, params.get(field));
  return check_value(role, list, {name.begin(), name.size()}, params.get(field));
}

Result<void> check_fields(schema::RoleManifest::Reader role, capnp::DynamicStruct::Reader params) {
  for (const auto field : params.getSchema().getNonUnionFields())
    RELAB_CHECK(check_field(role, params, field));
  KJ_IF_MAYBE (member, params.which()) RELAB_CHECK(check_field(role, params, *member));
  return {};
}

}  // namespace

Result<RoleLimits> RoleLimits::parse(std::string_view json) {
  RELAB_TRY(auto manifest, Message<schema::RoleManifest>::from_json(json));
  for (const auto kind : manifest.reader().getKinds())
    if (!find_kind(view(kind)))
      return fail(Fault::invalid,
                  fmt::format("the role names a task kind that does not exist: '{}'", str(kind)));
  return RoleLimits(std::move(manifest));
}

Result<RoleLimits> RoleLimits::load(const fs::path& folder, const std::string& name) {
  const auto path = folder / (name + ".json");
  RELAB_TRY(const auto text,
            read_small_file(path).during("reading the manifest of the role '" + name + "'"));
  return parse(text).during("reading " + path.string());
}

bool RoleLimits::permits_kind(std::string_view arm) const {
  return any_in(manifest().getKinds(), [&](auto kind) { return view(kind) == arm; });
}

Result<void> RoleLimits::check_limits(schema::Task::Reader task) const {
  return check_params(params_of(task, arm_of(task)));
}

Result<void> RoleLimits::check_params(capnp::DynamicStruct::Reader params) const {
  return check_fields(manifest(), params);
}

}  // namespace relab::agent
