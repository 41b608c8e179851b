// relab's own agent, brought into containers.

#include "agent/kinds/guests/agent_install.h"

#include "agent/host/real_host.h"
#include "agent/kinds/guests/guest_packages.h"
#include "tests/support/must.h"
#include "tests/support/scratch.h"
#include "tests/support/sim_inside.h"

namespace relab::agent::guests {

namespace {

struct Scene {
  SimHost host;
  SimPve pve;
  SimInside inside;

  Scene() {
    pve.containers[100] = {.settings = {{"hostname", "pbs"}}, .running = true};
    pve.install(host);
    inside.install(pve, host);
    inside.deliver(host, {"relab-agent", "relab-agent-pbs", "bookworm/libzmq5", "trixie/libzmq5"});
  }
  Result<Message<schema::AgentInstall::Facts>> observe() {
    return AgentInstall::observe(params.reader(), host);
  }
  Result<std::vector<Change>> plan() {
    RELAB_TRY(const auto facts, observe());
    return AgentInstall::plan(params.reader(), facts.reader());
  }
  std::vector<std::string> words() {
    std::vector<std::string> all;
    for (const auto& change : must(plan())) all.push_back(change.what);
    return all;
  }
  Result<void> apply() {
    RELAB_TRY(const auto changes, plan());
    for (const auto& change : changes) RELAB_CHECK(AgentInstall::apply(change, host));
    return {};
  }
  SimInside::Guest& guest() { return inside.guests[100]; }
  std::string controller() const { return crypto::fingerprint(inside.controller.sign_key()); }

  Message<schema::AgentInstall> params = must(
      Message<schema::AgentInstall>::from_json(R"({"name": "pbs", "vmid": 100, "role": "pbs"})"));
};

/// One whose agent is there and works.
struct Settled : Scene {
  Settled() { must(apply()); }
};

Error error_of(Scene& scene) {
  const auto changes = scene.plan();
  REQUIRE_FALSE(changes);
  return changes.error();
}

}  // namespace

TEST_CASE("agent_install: packages, the controller's key and a start, and back comes its own key",
          "[agent][guests]") {
  Scene scene;
  CHECK(scene.words() ==
        std::vector<std::string>{
            "+ in container 100 (pbs): relab-agent 2 relab-agent-pbs 2",
            "+ the agent in container 100 (pbs) obeys the controller " + scene.controller(),
            "~ the agent in container 100 (pbs) runs, also after a restart"});

  must(scene.apply());

  CHECK(scene.words().empty());
  CHECK(scene.guest().packages ==
        std::map<std::string, std::string>{{"relab-agent", "2"}, {"relab-agent-pbs", "2"}});
  CHECK(scene.guest().lab == "home");
  CHECK(scene.guest().active);
  const auto facts = must(scene.observe());
  const auto agent = must(read_identity(view(facts.reader().getIdentity()), schema::Role::AGENT));
  CHECK(agent.sign_key == scene.guest().keys->sign_key());
  CHECK(agent.name == "pbs");
}

TEST_CASE("agent_install: only packages for the guest's release come along, and nothing stays",
          "[agent][guests]") {
  Settled scene;

  const auto& tar = scene.guest().files.begin()->second;
  CHECK_THAT(tar, Catch::Contains("From: bookworm/libzmq5") && !Catch::Contains("From: trixie"));
  const auto names = must(scene.host.list("/var/lib/relab-agent/parcels"));
  for (const auto& name : names) CHECK(name.size() == 64);
  CHECK(names.size() == 3);
}

TEST_CASE("agent_install: a container that is not there or does not run is refused",
          "[agent][guests]") {
  Scene scene;
  scene.pve.containers[100].running = false;
  CHECK(error_of(scene).what == "container 100 (pbs) does not run");

  scene.pve.containers.clear();
  scene.host.remove("/etc/pve/nodes/pve/lxc/100.conf");
  CHECK(error_of(scene).fault == Fault::refused);
  CHECK(error_of(scene).what == "there is no container 100 on this host");
}

TEST_CASE("agent_install: without the packages nothing is begun", "[agent][guests]") {
  Scene scene;
  scene.inside.deliver(scene.host, {"relab-agent"});
  CHECK(error_of(scene).what == "the order brings no package relab-agent-pbs");
  CHECK(error_of(scene).fault == Fault::missing);

  // One whose agent is there needs none.
  Settled settled;
  settled.inside.deliver(settled.host, {});
  CHECK(settled.words().empty());
}

TEST_CASE("agent_install: another version replaces the one that is there, and keys stay",
          "[agent][guests]") {
  Settled scene;
  scene.guest().packages["relab-agent"] = "1";
  const auto key = scene.guest().keys->sign_key();
  CHECK(scene.words() ==
        std::vector<std::string>{"+ in container 100 (pbs): relab-agent 2 relab-agent-pbs 2"});

  must(scene.apply());

  CHECK(scene.words().empty());
  CHECK(scene.guest().keys->sign_key() == key);
}

TEST_CASE("agent_install: an agent that obeys somebody else stays with him", "[agent][guests]") {
  Settled scene;
  const auto other = crypto::Keys::make();
  scene.guest().controllers = {
      must(read_identity(state_identity(other, {.role = schema::Role::CONTROLLER, .name = "other"}),
                         schema::Role::CONTROLLER))};

  const auto error = error_of(scene);

  CHECK(error.fault == Fault::refused);
  CHECK_THAT(error.what, Catch::Contains("obeys another controller") &&
                             Catch::Contains(crypto::fingerprint(other.sign_key())));
}

TEST_CASE("agent_install: an agent with another key than the one that is known is refused",
          "[agent][guests]") {
  Settled scene;
  const auto known = scene.guest().keys->sign_key();
  const Bytes expected(known.begin(), known.end());
  scene.inside.deliver(scene.host, {"relab-agent", "relab-agent-pbs"}, expected);
  CHECK(scene.words().empty());

  scene.guest().keys = crypto::Keys::make();
  CHECK_THAT(error_of(scene).what, Catch::Contains("has another key than the agent 'pbs'"));

  // Nor is a container without any agent taken for it.
  scene.guest() = {};
  CHECK(error_of(scene).fault == Fault::refused);
  CHECK_THAT(error_of(scene).what, Catch::Contains("none that it could be"));
}

TEST_CASE("agent_install: an agent that lost its keys gets new ones, and is none without",
          "[agent][guests]") {
  Settled scene;
  scene.guest().keys.reset();
  CHECK(scene.words().size() == 2);  // to be planted, and started anew
  scene.inside.plant_does_nothing = true;
  must(scene.apply());
  CHECK(scene.words().size() == 2);
  scene.inside.plant_does_nothing = false;
  must(scene.apply());
  CHECK(scene.words().empty());

  // That it cannot be read does not mean that there is none.
  scene.inside.unreadable = "agent.key can be read by others than its owner";
  const auto facts = scene.observe();
  REQUIRE_FALSE(facts);
  CHECK_THAT(facts.error().what,
             Catch::Contains("cannot tell who it is") && Catch::Contains("can be read by others"));
}

TEST_CASE("agent_install: an agent of another lab stays there", "[agent][guests]") {
  Settled scene;
  scene.guest().lab = "elsewhere";

  const auto error = error_of(scene);

  CHECK(error.fault == Fault::refused);
  CHECK_THAT(error.what, Catch::Contains("belongs to the lab 'elsewhere', and this is 'home'"));
}

TEST_CASE("agent_install: a container that is somebody else's is left alone", "[agent][guests]") {
  Scene scene;
  scene.pve.containers[100].settings["hostname"] = "payroll";
  scene.pve.write();
  CHECK_THAT(error_of(scene).what, Catch::Contains("is called 'payroll'"));
  CHECK(error_of(scene).fault == Fault::refused);
}

TEST_CASE("agent_install: other roles that are there go, and the agent starts anew",
          "[agent][guests]") {
  Settled scene;
  scene.guest().packages["relab-agent"] = "1";
  scene.guest().packages["relab-agent-monitoring"] = "1";
  CHECK(scene.words() ==
        std::vector<std::string>{"- in container 100 (pbs): relab-agent-monitoring 1, which would "
                                 "permit more than the role pbs",
                                 "+ in container 100 (pbs): relab-agent 2 relab-agent-pbs 2",
                                 "~ the agent in container 100 (pbs) runs, also after a restart"});

  must(scene.apply());

  CHECK(scene.words().empty());
  CHECK(scene.guest().packages ==
        std::map<std::string, std::string>{{"relab-agent", "2"}, {"relab-agent-pbs", "2"}});
  scene.guest().status = "hi";
  CHECK(scene.words().empty());
}

TEST_CASE("agent_install: another role that did not go, or only half, is still to be removed",
          "[agent][guests]") {
  Settled scene;
  scene.guest().packages["relab-agent-monitoring"] = "2";
  scene.inside.remove_does_nothing = true;

  must(scene.apply());

  CHECK(scene.words().size() == 2);
  scene.guest().status = "hF";
  CHECK_THAT(scene.words().front(), Catch::Contains("relab-agent-monitoring"));
}

TEST_CASE("agent_install: what helps to debug the agent is no role", "[agent][guests]") {
  Settled scene;
  scene.guest().packages["relab-agent-dbgsym"] = "1";

  CHECK(scene.words().empty());
}

TEST_CASE("agent_install: only dpkg's own words say that it is locked", "[agent][guests]") {
  const auto script = install_script();
  const auto begin = script.find("is_locked() {");
  REQUIRE(begin != std::string::npos);
  const auto body = script.substr(begin, script.find("\n}\n", begin) + 3 - begin);
  RealHost host;
  const auto is_locked = [&](const std::string& said) {
    return must(host.run({.argv = {"sh", "-c", body + "is_locked \"$1\"", "sh", said}})).status ==
           0;
  };

  CHECK(
      is_locked("dpkg: error: dpkg frontend lock was locked by another process with pid 4711\n"
                "Note: removing the lock file is always wrong"));
  CHECK(
      is_locked("dpkg: warning: x\ndpkg: error: dpkg database lock was locked by another process "
                "with pid 1"));
  CHECK(is_locked("dpkg: error: dpkg status database is locked by another process"));
  CHECK_FALSE(
      is_locked("Setting up libblockdev2:amd64 (2.28-2) ...\n"
                "dpkg: error processing package libblockdev2:amd64 (--configure):\n"
                " installed libblockdev2 post-installation script subprocess returned"));
  CHECK_FALSE(is_locked("dpkg: dependency problems prevent configuration of liblockfile1"));
  CHECK_FALSE(is_locked(""));
}

TEST_CASE("agent_install: no script of a package asks, or restarts what is not its own",
          "[agent][guests]") {
  const auto script = GENERATE(install_script(), remove_script());
  for (const auto* variable : {"DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1",
                               "APT_LISTCHANGES_FRONTEND=none", "UCF_FORCE_CONFFOLD=1"})
    CHECK_THAT(script, Catch::Contains(variable));
}

TEST_CASE("agent_install: what the agent recommends comes along where it was brought",
          "[agent][guests]") {
  const auto script = install_script();
  const auto begin = script.find("for name in ");
  REQUIRE(begin != std::string::npos);
  const auto loop = script.substr(begin, script.find("done\n", begin) + 5 - begin);
  RealHost host;
  const auto items = [&](const std::string& table) {
    const Scratch folder;
    must(host.put_file(folder.path() / "Packages", {.text = table, .secret = {}}, {.mode = 0600}));
    return must(host.run({.argv = {"sh", "-euc", "cd \"$1\"; shift\n" + loop + "echo \"$@\"", "sh",
                                   folder.path().string(), "relab-agent=1"}}))
        .out;
  };

  CHECK(items("Package: relab-agent\nDepends: gpg\n\nPackage: libcurl4\n") == "relab-agent=1\n");
  CHECK(items("Package: gpg\n\nPackage: relab-agent\n\nPackage: curl\n") ==
        "relab-agent=1 curl gpg\n");
}

TEST_CASE("agent_install: packages that did not come whole are not installed", "[agent][guests]") {
  Scene scene;
  scene.inside.push_is_cut = true;

  const auto done = scene.apply();

  REQUIRE_FALSE(done);
  CHECK_THAT(done.error().what, Catch::Contains("did not come whole"));
  CHECK(scene.guest().packages.empty());
}

TEST_CASE("agent_install: what apt says is told", "[agent][guests]") {
  Scene scene;
  scene.inside.apt_says =
      "The following packages have unmet dependencies:\n"
      " relab-agent : Depends: libnosuch5 but it is not installable\n"
      "E: Unable to correct problems, you have held broken packages.";

  const auto done = scene.apply();

  REQUIRE_FALSE(done);
  CHECK(done.error().what ==
        "a command in container 100 ended with 100: relab-agent : Depends: libnosuch5 but it is "
        "not installable; E: Unable to correct problems, you have held broken packages.");
  CHECK_THAT(done.error().hint, Catch::Contains("packages/bookworm"));
}

TEST_CASE("agent_install: what only pretends is still to be done", "[agent][guests]") {
  Scene scene;
  SECTION("apt") {
    scene.inside.install_does_nothing = true;
    CHECK_FALSE(scene.apply());  // there is no agent to plant a key in
    CHECK(scene.words().size() == 3);
  }
  SECTION("the planting") {
    scene.inside.plant_does_nothing = true;
    must(scene.apply());
    CHECK(scene.words().size() == 2);
  }
  SECTION("the start") {
    scene.inside.start_does_nothing = true;
    must(scene.apply());
    CHECK(scene.words().size() == 1);
  }
}

TEST_CASE("agent_install: an answer that is cut off tells nothing", "[agent][guests]") {
  Scene scene;
  scene.inside.look_is_cut = true;
  CHECK_FALSE(scene.observe());

  CHECK_FALSE(parse_agent(""));
  CHECK_FALSE(parse_agent("suite bookworm\n"));
  CHECK_FALSE(parse_agent("suite bookworm\nidentity %%%\nend\n"));
  CHECK_FALSE(parse_agent("what is this\nend\n"));
  CHECK_FALSE(parse_agent("end\nsuite bookworm\n"));
  for (const auto* bare : {"trust", "identity", "unreadable", "package", "suite", "active",
                           " trust", "trust lab", "trust  "})
    CHECK_NOTHROW(parse_agent(std::string(bare) + "\nend\n").has_value());
  CHECK(must(parse_agent("suite \nenabled \nactive \nend\n")).suite.empty());
}

TEST_CASE("agent_install: packages are named as Debian names them", "[agent][guests]") {
  const auto name = [](const std::string& file) {
    return package_name({.name = file, .sha256 = {}});
  };
  CHECK(must(name("relab-agent_0.5.0_amd64.deb")) ==
        PackageName{.name = "relab-agent", .version = "0.5.0"});
  CHECK(must(name("trixie/libc6_1%3a2.41-1_amd64.deb")).version == "1:2.41-1");
  for (const auto* wrong : {"relab-agent.deb", "relab-agent_1.deb", "_1_amd64.deb", "x_1_amd64",
                            "a__b.deb", "a_1_b_c.deb"})
    CHECK_FALSE(name(wrong));
}

}  // namespace relab::agent::guests
