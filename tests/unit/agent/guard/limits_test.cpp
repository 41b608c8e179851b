// What a role's lists permit: with the annotation put on fields of other structs, and with the
// task kinds that have it.

#include <capnp/schema-loader.h>
#include <capnp/serialize.h>
#include <set>

#include "agent/guard/role.h"
#include "common/reflect/notes.h"
#include "schema/wire.capnp.h"
#include "tests/support/must.h"

namespace relab::agent {

namespace {

/// Schemas whose fields have a `$limit` that they do not have in truth.
class Limited {
 public:
  template <typename T>
  Limited& with(std::string_view field, const char* list) {
    capnp::MallocMessageBuilder message;
    message.setRoot(capnp::Schema::from<T>().getProto());
    auto node = message.getRoot<capnp::schema::Node>();
    for (auto candidate : node.getStruct().getFields()) {
      if (view(candidate.asReader().getName()) != field) continue;
      auto annotation = candidate.initAnnotations(1)[0];
      annotation.setId(limit_id);
      annotation.initValue().setText(list);
    }
    loader_.load(node.asReader());
    return *this;
  }
  /// Judges the JSON of a T under that schema.
  template <typename T>
  Result<void> check(const Message<schema::RoleManifest>& role, std::string_view json) {
    const auto message = must(Message<T>::from_json(json));
    const auto schema = loader_.get(capnp::Schema::from<T>().getProto().getId()).asStruct();
    // The bytes once more, since the message knows them under their own schema only.
    const kj::ArrayPtr<const capnp::word> words(
        reinterpret_cast<const capnp::word*>(message.bytes().data()), message.bytes().size() / 8);
    capnp::FlatArrayMessageReader reader(words);
    return check_params(role.reader(), reader.getRoot<capnp::DynamicStruct>(schema));
  }

 private:
  static constexpr std::uint64_t limit_id = 0xb5a1d7a4a9b0c10d;
  capnp::SchemaLoader loader_;
};

Message<schema::RoleManifest> role() {
  return must(Message<schema::RoleManifest>::from_json(R"({"name": "r", "pools": ["tank", "rpool"],
    "vmids": [{"first": 100, "last": 110}, {"first": 200, "last": 200}],
    "paths": ["/srv/media", "/var/lib/relab/"]})"));
}

bool permits_path(const std::string& path) {
  return Limited()
      .with<schema::Hello>("name", "paths")
      .check<schema::Hello>(role(), R"({"name": ")" + path + R"("})")
      .has_value();
}

}  // namespace

TEST_CASE("limits: a path must lie at or below a permitted folder", "[agent][guard]") {
  CHECK(permits_path("/srv/media"));
  CHECK(permits_path("/srv/media/films/x"));
  CHECK(permits_path("/var/lib/relab/x"));
  CHECK_FALSE(permits_path("/srv"));
  CHECK_FALSE(permits_path("/"));
  CHECK_FALSE(permits_path("/srv/other"));
}

TEST_CASE("limits: no trick of spelling leads out of a folder", "[agent][guard]") {
  const auto path =
      GENERATE(as<std::string>(), "/srv/media/../other", "/srv/media/..",
               "/srv/media/x/../../../etc/shadow", "/srv/media2", "/srv/media-x/y", "/srv/medi",
               "srv/media", "media", "", ".", "..", "/srv/./media/../..", "/srv/media/./..",
               "/../srv/other", "/SRV/media", " /srv/media", "./srv/media", "/srv/media/.");

  CHECK_FALSE(permits_path(path));
}

TEST_CASE("limits: guests by number, both ends of a range included", "[agent][guard]") {
  Limited limited;
  limited.with<schema::Order>("attempt", "vmids");
  const auto row = GENERATE(table<std::string, bool>({{"99", false},
                                                      {"100", true},
                                                      {"110", true},
                                                      {"111", false},
                                                      {"200", true},
                                                      {"0", false},
                                                      {"4294967295", false}}));

  CHECK(limited.check<schema::Order>(role(), R"({"attempt": )" + std::get<0>(row) + "}")
            .has_value() == std::get<1>(row));
}

TEST_CASE("limits: every element of a list must be permitted", "[agent][guard]") {
  Limited limited;
  limited.with<schema::Hello>("kinds", "pools");

  CHECK(limited.check<schema::Hello>(role(), R"({"kinds": ["tank", "rpool"]})"));
  CHECK(limited.check<schema::Hello>(role(), R"({"kinds": []})"));
  CHECK_FALSE(limited.check<schema::Hello>(role(), R"({"kinds": ["tank", "other"]})"));
}

TEST_CASE("limits: a name of which paths are made must have each of them permitted",
          "[agent][guard]") {
  Limited limited;
  limited.with<schema::Hello>("name", "paths /srv/media/*.conf /var/lib/relab/*");
  Limited partly;
  partly.with<schema::Hello>("name", "paths /srv/media/*.conf /srv/other/*");

  CHECK(limited.check<schema::Hello>(role(), R"({"name": "a"})"));
  CHECK_FALSE(limited.check<schema::Hello>(role(), R"({"name": "../a"})"));
  CHECK_FALSE(limited.check<schema::Hello>(role(), R"({"name": "x/../../../etc/a"})"));
  CHECK_THAT(partly.check<schema::Hello>(role(), R"({"name": "a"})").error().what,
             Catch::Contains("/srv/other/a is not within its paths"));
}

TEST_CASE("limits: a limit within a list of structs holds too", "[agent][guard]") {
  Limited limited;
  limited.with<schema::VmidRange>("last", "vmids").with<schema::RoleManifest>("", "");

  CHECK(limited.check<schema::RoleManifest>(role(), R"({"vmids": [{"last": 105}]})"));
  CHECK_FALSE(
      limited.check<schema::RoleManifest>(role(), R"({"vmids": [{"last": 105}, {"last": 111}]})"));
}

TEST_CASE("limits: a list that does not exist, or of another type, permits nothing",
          "[agent][guard]") {
  CHECK_FALSE(Limited()
                  .with<schema::Hello>("name", "datasets")
                  .check<schema::Hello>(role(), R"({"name": "tank"})"));
  CHECK_FALSE(Limited()
                  .with<schema::Hello>("name", "vmids")
                  .check<schema::Hello>(role(), R"({"name": "100"})"));
  CHECK_FALSE(Limited()
                  .with<schema::Order>("attempt", "pools")
                  .check<schema::Order>(role(), R"({"attempt": 100})"));
}

namespace {

/// Whether a role that may do everything, within these lists, takes the task.
bool permits(const std::string& lists, const std::string& task) {
  const auto limits = must(RoleLimits::parse(
      R"({"name": "r", "kinds": ["file", "directory", "packages", "aptRepository", "unit",
          "mountCheck", "httpProbe", "commandProbe", "poolHealth", "zfsSnapshot", "zfsBackup",
          "zfsBackupVerify", "zfsPoolBackup", "usbDisk"])" +
      lists + "}"));
  return limits.check_limits(must(Message<schema::Task>::from_json(task)).reader()).has_value();
}

}  // namespace

TEST_CASE("limits: units and packages by name, or by their beginning", "[agent][guard]") {
  const auto* const lists = R"(, "units": ["jellyfin.service", "wg-quick@*"],
                                 "packages": ["jellyfin*", "vainfo"])";
  const auto unit = [&](const std::string& name) {
    return permits(lists, R"({"unit": {"state": "active", "name": ")" + name + R"("}})");
  };
  const auto package = [&](const std::string& name) {
    return permits(lists, R"({"packages": {"packages": [{"name": ")" + name + R"("}]}})");
  };

  CHECK(unit("jellyfin.service"));
  CHECK(unit("wg-quick@wg0.service"));
  CHECK_FALSE(unit("jellyfin.socket"));
  CHECK_FALSE(unit("xjellyfin.service"));
  CHECK_FALSE(unit("wg-quick.service"));
  CHECK_FALSE(unit("*"));
  CHECK_FALSE(unit(""));
  CHECK(package("jellyfin"));
  CHECK(package("jellyfin-web"));
  CHECK(package("vainfo"));
  CHECK_FALSE(package("vainfo2"));
  CHECK_FALSE(package("openssh-server"));
  CHECK_FALSE(package(""));
}

TEST_CASE("limits: nothing of the agent itself is within any role", "[agent][guard]") {
  const auto* const everything = R"(, "paths": ["/"], "units": ["*"])";
  const auto path = GENERATE(
      as<std::string>(), "/etc/default/relab-agent", "/etc/relab", "/etc/relab.d/x",
      "/usr/lib/relab/roles.d/mine.json", "/lib/relab/roles.d/mine.json", "/usr/bin/relab-agent",
      "/bin/relab-agent", "/var/lib/relab-agent", "/var/lib/relab-agent/trust",
      "/etc/systemd/system/relab-agent.service", "/etc/systemd/system/relab-agent.service.d/x.conf",
      "/lib/systemd/system/relab-agent.service", "/usr/lib/systemd/system/relab-agent.service.d/x",
      "/run/systemd/system/relab-agent.service.d/x.conf", "/etc/systemd/system/service.d/x.conf",
      "/etc/systemd/system/relab-.service.d/x.conf",
      "/etc/systemd/system/multi-user.target.wants/relab-agent.service");

  CHECK_FALSE(permits(everything, R"({"file": {"path": ")" + path + R"("}})"));
  CHECK_FALSE(permits(everything, R"({"directory": {"path": ")" + path + R"("}})"));
  CHECK_FALSE(permits(everything, R"({"packages": {"from": ")" + path + R"("}})"));
  CHECK_FALSE(permits(everything, R"({"unit": {"name": "relab-agent.service"}})"));
}

TEST_CASE("limits: what only sounds like the agent's own is a role's to permit", "[agent][guard]") {
  const auto* const everything = R"(, "paths": ["/"], "units": ["*"])";
  const auto path =
      GENERATE(as<std::string>(), "/", "/etc/default/grafana-server", "/etc/default/relab",
               "/etc/default", "/usr/lib/relab2", "/var/lib/relab", "/etc/systemd/system",
               "/etc/systemd/system/app.service", "/etc/systemd/system/relab-flush.service",
               "/srv/relab-agent.service", "/etc/apt/relab-agent");

  CHECK(permits(everything, R"({"file": {"path": ")" + path + R"("}})"));
  CHECK(permits(everything, R"({"unit": {"name": "relab-flush.service"}})"));
}

TEST_CASE("limits: a source of packages is written where the role may write files",
          "[agent][guard]") {
  const auto source = [](const std::string& paths, const std::string& name) {
    return permits(", \"paths\": [" + paths + "]",
                   R"({"aptRepository": {"name": ")" + name + R"("}})");
  };
  const std::string folders = R"("/etc/apt/sources.list.d", "/etc/apt/keyrings")";

  CHECK(source(folders, "app"));
  CHECK(source(R"("/etc/apt")", "app"));
  CHECK(source(R"("/etc/apt/sources.list.d/app.sources", "/etc/apt/keyrings")", "app"));
  CHECK_FALSE(source(R"("/etc/apt/sources.list.d/app.sources", "/etc/apt/keyrings")", "debian"));
  CHECK_FALSE(source(R"("/etc/apt/sources.list.d")", "app"));
  CHECK_FALSE(source(R"("/etc/apt/keyrings")", "app"));
  CHECK_FALSE(source(R"("/etc/wireguard")", "debian"));
  CHECK_FALSE(source(folders, "../../app"));
}

TEST_CASE("limits: pools by their whole name, and datasets by that of their pool",
          "[agent][guard]") {
  const auto* const lists = R"(, "pools": ["tank", "backup*"])";
  const auto dataset = [&](const std::string& name) {
    return permits(lists, R"({"zfsSnapshot": {"name": "x", "dataset": ")" + name + R"("}})");
  };

  CHECK(permits(lists, R"({"poolHealth": {"pool": "tank"}})"));
  CHECK_FALSE(permits(lists, R"({"poolHealth": {"pool": "rpool"}})"));
  CHECK(dataset("tank"));
  CHECK(dataset("tank/vm/disk"));
  CHECK(dataset("tank@before"));
  CHECK(dataset("backup2/tank"));
  for (const auto* other : {"tan", "tank2", "TANK", "rpool/tank", "rpool/backup", "/tank", "@tank",
                            "*", "", "tank*", " tank"})
    CHECK_FALSE(dataset(other));
  CHECK(permits(R"(, "pools": ["*"])", R"({"poolHealth": {"pool": "rpool"}})"));
  CHECK_FALSE(permits(R"(, "pools": ["*"])", R"({"poolHealth": {}})"));
}

TEST_CASE("limits: every pool that a task names must be permitted", "[agent][guard]") {
  const auto* const lists = R"(, "pools": ["tank"], "paths": ["/mnt"])";

  CHECK_FALSE(permits(lists, R"({"zfsPoolBackup": {"dataset": "tank", "target": "rpool/tank"}})"));
  CHECK_FALSE(permits(lists, R"({"zfsPoolBackup": {"dataset": "rpool", "target": "tank/r"}})"));
  CHECK(permits(lists, R"({"zfsBackupVerify": {"dataset": "tank", "folder": "/mnt/usb"}})"));
  CHECK_FALSE(permits(lists, R"({"zfsBackupVerify": {"dataset": "tank", "scratch": "rpool/x"}})"));
}

TEST_CASE("limits: a disk and a copy go below a permitted folder only", "[agent][guard]") {
  const auto* const lists = R"(, "pools": ["tank"], "paths": ["/mnt"])";

  CHECK(permits(lists, R"({"usbDisk": {"serial": "s", "folder": "/mnt/usb"}})"));
  CHECK_FALSE(permits(lists, R"({"usbDisk": {"serial": "s", "folder": "/etc"}})"));
  CHECK(permits(lists, R"({"zfsBackup": {"dataset": "tank", "folder": "/mnt/usb"}})"));
  CHECK_FALSE(permits(lists, R"({"zfsBackup": {"dataset": "tank", "folder": "/etc/usb"}})"));
}

TEST_CASE("limits: whatever names a pool is limited to the role's pools", "[agent][guard]") {
  const std::set<std::string> naming = {"pool", "dataset", "scratch", "target"};
  std::set<std::string> kinds;
  for (const auto arm : capnp::Schema::from<schema::Task>().getUnionFields()) {
    if (!arm.getType().isStruct()) continue;
    for (const auto field : arm.getType().asStruct().getFields()) {
      if (!field.getType().isText() || !naming.contains(str(field.getProto().getName()))) continue;
      const auto kind = str(arm.getProto().getName());
      INFO(kind << "." << field.getProto().getName().cStr());
      CHECK(reflect::notes_of(field).limit == "pools");
      kinds.insert(kind);
    }
  }

  CHECK(kinds == std::set<std::string>{"poolHealth", "usbPool", "zfsBackup", "zfsBackupVerify",
                                       "zfsKeyCheck", "zfsPoolBackup", "zfsPoolBackupVerify",
                                       "zfsScrub", "zfsSnapshot"});
}

TEST_CASE("limits: what a manifest does not list is refused", "[agent][guard]") {
  const auto task = GENERATE(
      as<std::string>(), R"({"file": {"path": "/etc/x"}})", R"({"file": {}})",
      R"({"directory": {"path": "/etc/x"}})", R"({"packages": {"packages": [{"name": "x"}]}})",
      R"({"packages": {"from": "/mnt"}})", R"({"packages": {"removeOk": ["x"]}})",
      R"({"aptRepository": {"disable": ["/etc/apt/sources.list"]}})",
      R"({"aptRepository": {"name": "debian"}})", R"({"unit": {"name": "x"}})", R"({"unit": {}})",
      R"({"mountCheck": {"path": "/"}})", R"({"mountCheck": {}})",
      R"({"httpProbe": {"url": "https://x", "authority": "/etc/x"}})",
      R"({"commandProbe": {"command": "x"}})", R"({"commandProbe": {}})",
      R"({"poolHealth": {"pool": "tank"}})", R"({"poolHealth": {}})",
      R"({"usbDisk": {"serial": "s", "folder": "/mnt/usb"}})");

  CHECK_FALSE(permits("", task));
}

TEST_CASE("limits: a parameter that may be absent, and is, needs no permission", "[agent][guard]") {
  CHECK(permits("", R"({"httpProbe": {"url": "https://x"}})"));
  CHECK(permits(R"(, "packages": ["*"])", R"({"packages": {"packages": [{"name": "x"}]}})"));
  CHECK_FALSE(permits(R"(, "packages": ["*"])",
                      R"({"packages": {"packages": [{"name": "x"}], "from": ""}})"));
}

TEST_CASE("limits: a mount may be looked at where nothing may be written", "[agent][guard]") {
  const auto* const lists = R"(, "mounts": ["/mnt"], "paths": ["/etc/app"])";

  CHECK(permits(lists, R"({"mountCheck": {"path": "/mnt/usb"}})"));
  CHECK_FALSE(permits(lists, R"({"mountCheck": {"path": "/etc/app"}})"));
  CHECK_FALSE(permits(lists, R"({"file": {"path": "/mnt/usb/x"}})"));
  CHECK(permits(lists, R"({"file": {"path": "/etc/app/x"}})"));
}

TEST_CASE("limits: a command is what the manifest says", "[agent][guard]") {
  const auto* const json = R"({"name": "r", "kinds": ["commandProbe"],
                               "commands": [{"name": "status", "argv": ["/bin/status", "-a"]}]})";
  const auto limits = must(RoleLimits::parse(json));
  const auto task = [](const std::string& name) {
    return must(
        Message<schema::Task>::from_json(R"({"commandProbe": {"command": ")" + name + R"("}})"));
  };

  CHECK(limits.check_limits(task("status").reader()));
  CHECK_FALSE(limits.check_limits(task("/bin/status").reader()));
  CHECK_FALSE(limits.check_limits(task("stat").reader()));
  CHECK(limits.commands() == ListedCommands{{"status", {"/bin/status", "-a"}}});
}

TEST_CASE("roles: commands of one that may not run them are not there", "[agent][guard]") {
  const auto limits = must(RoleLimits::parse(
      R"({"name": "r", "kinds": ["ping"], "commands": [{"name": "x", "argv": ["/bin/x"]}]})"));

  CHECK(limits.commands().empty());
}

TEST_CASE("roles: a command needs a name and an absolute program", "[agent][guard]") {
  const auto command = GENERATE(as<std::string>(), R"({"name": "", "argv": ["/bin/x"]})",
                                R"({"name": "x", "argv": []})", R"({"name": "x", "argv": ["x"]})",
                                R"({"name": "x", "argv": [""]})", R"({"name": "x"})");

  CHECK(RoleLimits::parse(R"({"name": "r", "commands": [)" + command + "]}").error().fault ==
        Fault::invalid);
}

TEST_CASE("roles: an unknown kind or key, or no JSON at all, is refused", "[agent][guard]") {
  const auto json =
      GENERATE(as<std::string>(), R"({"kinds": ["format"]})", R"({"kinds": ["unset"]})",
               R"({"kind": ["ping"]})", R"({"kinds": "ping"})", "", "[]", "{");

  CHECK(RoleLimits::parse(json).error().fault == Fault::invalid);
}

TEST_CASE("roles: one that is not there is missing", "[agent][guard]") {
  CHECK(RoleLimits::load("/nonexistent", "proxmox").error().fault == Fault::missing);
}

TEST_CASE("roles: an empty one permits nothing", "[agent][guard]") {
  const auto nothing = must(RoleLimits::parse("{}"));

  CHECK_FALSE(nothing.permits_kind("ping"));
  CHECK_FALSE(nothing.permits_kind(""));
}

}  // namespace relab::agent
