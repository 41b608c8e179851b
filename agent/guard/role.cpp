#include "agent/guard/role.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/guard/own_ground.h"
#include "agent/kinds/kind.h"
#include "common/base/dataset.h"
#include "common/base/file.h"
#include "common/base/text.h"
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

/// "jellyfin*" stands for all that begins so; one without anything before its end, for all.
bool matches(std::string_view pattern, std::string_view text) {
  if (text.empty()) return false;
  if (pattern.ends_with('*')) return text.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == text;
}

template <typename List>
bool any_matches(const List& patterns, std::string_view text) {
  return any_in(patterns, [&](auto pattern) { return matches(view(pattern), text); });
}

template <typename List>
bool any_holds(const List& folders, const fs::path& path) {
  return any_in(folders, [&](auto folder) { return holds_path(str(folder), path); });
}

bool within(schema::RoleManifest::Reader role, std::string_view list, const std::string& text) {
  if (list == "pools") return any_matches(role.getPools(), pool_of(text));
  if (list == "paths") return any_holds(role.getPaths(), text);
  if (list == "mounts") return any_holds(role.getMounts(), text);
  if (list == "units") return any_matches(role.getUnits(), text);
  if (list == "packages") return any_matches(role.getPackages(), text);
  if (list == "commands")
    return any_in(role.getCommands(),
                  [&](auto command) { return view(command.getName()) == text; });
  return false;
}

bool within(schema::RoleManifest::Reader role, std::string_view list, std::uint64_t vmid) {
  return list == "vmids" && any_in(role.getVmids(), [&](auto range) {
           return range.getFirst() <= vmid && vmid <= range.getLast();
         });
}

bool is_own(std::string_view list, const std::string& text) {
  return (list == "paths" && is_own_place(text)) || (list == "units" && is_own_unit(text));
}

/// What a text stands for by its limit, "paths /etc/x.d/*.conf": those paths, with the text in the
/// place of each "*", or, where the limit is only a list's name, the text itself.
std::vector<std::string> meant_by(const std::string& text, const std::string& limit) {
  const auto forms = words(limit);
  if (forms.size() < 2) return {text};
  std::vector<std::string> meant;
  for (auto form = forms.begin() + 1; form != forms.end(); ++form)
    meant.push_back(fmt::format("{}", fmt::join(split(*form, '*'), text)));
  return meant;
}

Result<void> check_value(schema::RoleManifest::Reader role, const std::string& limit,
                         std::string_view field, const capnp::DynamicValue::Reader& value) {
  if (value.getType() == capnp::DynamicValue::LIST) {
    for (const auto& element : value.as<capnp::DynamicList>())
      RELAB_CHECK(check_value(role, limit, field, element));
    return {};
  }
  const auto list = words(limit).front();
  const auto refused = [&](std::string_view why) {
    return fail(Fault::refused, fmt::format("the role '{}' does not permit this value of '{}': {}",
                                            str(role.getName()), field, why));
  };
  const auto not_within = fmt::format("it is not within its {}", list);
  if (value.getType() == capnp::DynamicValue::UINT)
    return within(role, list, value.as<std::uint64_t>()) ? Result<void>() : refused(not_within);
  if (value.getType() != capnp::DynamicValue::TEXT) return refused(not_within);
  const auto text = str(value.as<capnp::Text>());
  for (const auto& meant : meant_by(text, limit)) {
    if (is_own(list, meant)) return refused("it is the agent's own, which no role permits");
    if (within(role, list, meant)) continue;
    return refused(meant == text ? not_within
                                 : fmt::format("{} is not within its {}", meant, list));
  }
  return {};
}

/// A limit may be written on a field of a struct within the parameters.
Result<void> check_inside(schema::RoleManifest::Reader role,
                          const capnp::DynamicValue::Reader& value) {
  if (value.getType() == capnp::DynamicValue::STRUCT)
    return check_params(role, value.as<capnp::DynamicStruct>());
  if (value.getType() == capnp::DynamicValue::LIST)
    for (const auto& element : value.as<capnp::DynamicList>())
      RELAB_CHECK(check_inside(role, element));
  return {};
}

Result<void> check_field(schema::RoleManifest::Reader role, capnp::DynamicStruct::Reader params,
                         capnp::StructSchema::Field field) {
  const auto name = field.getProto().getName();
  const auto notes = reflect::notes_of(field);
  const auto& limit = notes.limit;
  if (limit.empty()) return check_inside(role, params.get(field));
  if (!notes.required && !params.has(field)) return {};
  return check_value(role, limit, {name.begin(), name.size()}, params.get(field));
}

bool names_kind(schema::RoleManifest::Reader role, std::string_view arm) {
  return any_in(role.getKinds(), [&](auto kind) { return view(kind) == arm; });
}

Result<void> check_command(schema::RoleManifest::Command::Reader command) {
  const auto argv = command.getArgv();
  const auto wrong = [&](std::string_view why) {
    return fail(Fault::invalid,
                fmt::format("the role's command '{}' {}", view(command.getName()), why));
  };
  if (command.getName().size() == 0) return wrong("has no name");
  if (argv.size() == 0) return wrong("has no program");
  if (!fs::path(str(argv[0])).is_absolute()) return wrong("has a program without an absolute path");
  return {};
}

Result<Message<schema::RoleManifest>> parse_manifest(std::string_view json) {
  RELAB_TRY(auto manifest, Message<schema::RoleManifest>::from_json(json));
  for (const auto kind : manifest.reader().getKinds())
    if (!find_kind(view(kind)))
      return fail(Fault::invalid,
                  fmt::format("the role names a task kind that does not exist: '{}'", str(kind)));
  for (const auto command : manifest.reader().getCommands()) RELAB_CHECK(check_command(command));
  return manifest;
}

Result<Message<schema::RoleManifest>> load_manifest(const fs::path& folder, std::string_view name) {
  const auto path = folder / fmt::format("{}.json", name);
  RELAB_TRY(const auto text, read_small_file(path).during(
                                 fmt::format("reading the manifest of the role '{}'", name)));
  RELAB_TRY(auto manifest, parse_manifest(text).during("reading " + path.string()));
  if (view(manifest.reader().getName()) == name) return manifest;
  return fail(Fault::invalid, fmt::format("{} is the manifest of another role, '{}'", path.string(),
                                          view(manifest.reader().getName())));
}

}  // namespace

Result<std::vector<std::string>> roles_installed_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  std::ranges::sort(names);
  if (!error && !names.empty()) return names;
  return fail(Fault::missing,
              fmt::format("there is no role in {}{}", folder.string(),
                          error ? ": " + error.message() : std::string()),
              "install the package of a role, such as relab-agent-proxmox");
}

Result<void> check_params(schema::RoleManifest::Reader role, capnp::DynamicStruct::Reader params) {
  for (const auto field : params.getSchema().getNonUnionFields())
    RELAB_CHECK(check_field(role, params, field));
  KJ_IF_MAYBE (member, params.which()) RELAB_CHECK(check_field(role, params, *member));
  return {};
}

Result<RoleLimits> RoleLimits::parse(std::string_view json) {
  RoleLimits limits;
  RELAB_TRY(auto manifest, parse_manifest(json));
  limits.manifests_.push_back(std::move(manifest));
  return limits;
}

Result<RoleLimits> RoleLimits::load(const fs::path& folder, std::string_view names) {
  std::vector<std::string> wanted;
  if (names.empty()) {
    RELAB_TRY(wanted, roles_installed_in(folder));
  } else {
    for (const auto name : split(names, '+')) wanted.emplace_back(name);
  }
  RoleLimits limits;
  for (const auto& name : wanted) {
    RELAB_TRY(auto manifest, load_manifest(folder, name));
    limits.manifests_.push_back(std::move(manifest));
  }
  return limits;
}

std::string RoleLimits::name() const {
  std::string all;
  for (const auto& manifest : manifests_)
    all += (all.empty() ? "" : "+") + str(manifest.reader().getName());
  return all;
}

std::vector<std::string> RoleLimits::kinds() const {
  std::vector<std::string> all;
  for (const auto& manifest : manifests_)
    for (const auto kind : manifest.reader().getKinds())
      if (std::ranges::find(all, view(kind)) == all.end()) all.push_back(str(kind));
  return all;
}

void RoleLimits::tell(schema::Hello::Builder hello) const {
  std::size_t size = 0;
  for (const auto& manifest : manifests_) size += manifest.bytes().size();
  if (size > told_size_max) return;
  auto list = hello.initManifests(static_cast<unsigned>(manifests_.size()));
  for (unsigned at = 0; at < list.size(); ++at) list.setWithCaveats(at, manifests_[at].reader());
}

bool RoleLimits::permits_kind(std::string_view arm) const {
  return std::ranges::any_of(
      manifests_, [&](const auto& manifest) { return names_kind(manifest.reader(), arm); });
}

ListedCommands RoleLimits::commands() const {
  ListedCommands all;
  for (const auto& manifest : manifests_) {
    if (!names_kind(manifest.reader(), "commandProbe")) continue;
    for (const auto command : manifest.reader().getCommands()) {
      std::vector<std::string> argv;
      for (const auto argument : command.getArgv()) argv.push_back(str(argument));
      all.emplace(str(command.getName()), std::move(argv));
    }
  }
  return all;
}

Result<void> RoleLimits::check_limits(schema::Task::Reader task) const {
  const auto arm = arm_of(task);
  Result<void> verdict = fail(Fault::refused, fmt::format("no role permits '{}'", arm));
  for (const auto& manifest : manifests_) {
    if (!names_kind(manifest.reader(), arm)) continue;
    verdict = check_params(manifest.reader(), params_of(task, arm));
    if (verdict) break;
  }
  return verdict;
}

}  // namespace relab::agent
