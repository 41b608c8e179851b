/// One contract, kept by the real machine and by the simulated one.

#include <cstdlib>
#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "agent/host/real_host.h"
#include "tests/support/must.h"
#include "tests/support/scratch.h"
#include "tests/support/sim_host.h"

namespace relab::agent {

namespace {

/// The real machine with a folder of its own, and the same folder's content simulated.
struct RealWorld {
  RealWorld() {
    std::string name = "/tmp/relab-host-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root = name;
    std::filesystem::create_directory(root / "folder");
    std::ofstream(root / "folder/file") << "content\n";
    std::ofstream(root / "folder/empty") << "";
    std::filesystem::create_symlink("file", root / "folder/link");
    std::filesystem::create_symlink("folder", root / "way");
    std::filesystem::create_symlink("nowhere", root / "dangling");
  }
  ~RealWorld() { std::filesystem::remove_all(root); }
  RealWorld(const RealWorld&) = delete;
  RealWorld& operator=(const RealWorld&) = delete;

  Path root;
  RealHost host;
};

struct SimWorld {
  SimWorld() {
    host.file(root / "folder/file", "content\n");
    host.file(root / "folder/empty", "");
    host.link(root / "folder/link", "file");
    host.link(root / "way", "folder");
    host.link(root / "dangling", "nowhere");
    host.answer("printf one two", {.status = 0, .out = "one"});
    host.answer("false", {.status = 1});
  }

  Path root = "/world";
  SimHost host;
};

}  // namespace

TEMPLATE_TEST_CASE("host: files, folders and links are read alike", "[agent][host]", RealWorld,
                   SimWorld) {
  TestType world;

  CHECK(must(world.host.read_file(world.root / "folder/file")) == "content\n");
  CHECK(must(world.host.read_file(world.root / "folder/empty")).empty());
  CHECK(must(world.host.read_file(world.root / "way/link")) == "content\n");
  CHECK(must(world.host.list(world.root)) == std::vector<std::string>{"dangling", "folder", "way"});
  CHECK(must(world.host.list(world.root / "way")) ==
        std::vector<std::string>{"empty", "file", "link"});
  CHECK(must(world.host.status(world.root / "folder/file")).type == FileType::regular);
  CHECK(must(world.host.status(world.root / "folder/file")).size == 8);
  CHECK(must(world.host.status(world.root / "way")).type == FileType::symlink);
  CHECK(must(world.host.read_link(world.root / "way")) == "folder");
  CHECK(must(world.host.canonical(world.root / "way/link")) == world.root / "folder/file");
}

TEMPLATE_TEST_CASE("host: what is not there is missing, what does not fit is invalid",
                   "[agent][host]", RealWorld, SimWorld) {
  TestType world;

  CHECK(world.host.read_file(world.root / "none").error().fault == Fault::missing);
  CHECK(world.host.read_file(world.root / "dangling").error().fault == Fault::missing);
  CHECK(world.host.list(world.root / "none").error().fault == Fault::missing);
  CHECK(world.host.status(world.root / "none").error().fault == Fault::missing);
  CHECK(world.host.canonical(world.root / "dangling").error().fault == Fault::missing);
  CHECK(world.host.read_file(world.root / "folder/file", 3).error().fault == Fault::invalid);
  CHECK(world.host.read_link(world.root / "folder/file").error().fault == Fault::invalid);
}

TEMPLATE_TEST_CASE("host: an exit status is data, an absent program is missing", "[agent][host]",
                   RealWorld, SimWorld) {
  TestType world;

  CHECK(must(world.host.run({.argv = {"printf", "one", "two"}})).out == "one");
  CHECK(must(world.host.run({.argv = {"false"}})).status == 1);
  const auto none = world.host.run({.argv = {"no-such-program", "-x"}});
  REQUIRE_FALSE(none);
  CHECK(none.error().fault == Fault::missing);
  CHECK(none.error().what == "no no-such-program on this machine");
}

TEST_CASE("real host: a program that is there and cannot be run is broken, not absent",
          "[agent][host]") {
  const Scratch folder;
  RealHost host({}, folder.path().string());
  const auto tool = folder.path() / "tool";
  SECTION("without its interpreter") {
    std::ofstream(tool) << "#!/nowhere/at/all\n";
    std::filesystem::permissions(tool, std::filesystem::perms::owner_all);
  }
  SECTION("without the right to be run") { std::ofstream(tool) << "#!/bin/sh\n"; }
  SECTION("a link to nothing") { std::filesystem::create_symlink("/nowhere", tool); }

  const auto ran = host.run({.argv = {"tool"}});

  REQUIRE_FALSE(ran);
  CHECK(ran.error().fault == Fault::damaged);
  CHECK_THAT(ran.error().what, Catch::Contains(tool.string()));
}

TEST_CASE("real host: the environment is pinned and standard input is what was given",
          "[agent][host]") {
  RealHost host;
  ::setenv("RELAB_CANARY", "seen", 1);

  const auto environment = must(host.run({.argv = {"env"}})).out;
  const auto echoed = must(host.run({.argv = {"cat"}, .input = "through the pipe"})).out;

  CHECK(environment.find("RELAB_CANARY") == std::string::npos);
  CHECK(environment.find("LC_ALL=C.UTF-8\n") != std::string::npos);
  CHECK(environment.find("PATH=/usr/local/sbin:") != std::string::npos);
  CHECK(echoed == "through the pipe");
}

TEST_CASE("real host: output beyond the limit is dropped and said so", "[agent][host]") {
  RealHost host;

  const auto output = must(host.run({.argv = {"seq", "1", "200000"}, .output_max = 1000}));

  CHECK(output.status == 0);
  CHECK(output.truncated);
  CHECK(output.out.size() == 1000);
}

TEST_CASE("real host: a signal is told as 128 and its number", "[agent][host]") {
  RealHost host;

  CHECK(must(host.run({.argv = {"sh", "-c", "kill -SEGV $$"}})).status == 128 + 11);
}

TEST_CASE("real host: a program out of time is ended with what it started", "[agent][host]") {
  RealHost host;
  const auto mark = std::to_string(60'000 + ::getpid() % 10'000);

  const auto ended = host.run({.argv = {"sh", "-c", "setsid sleep " + mark + " & sleep " + mark},
                               .timeout = std::chrono::seconds(1)});

  REQUIRE_FALSE(ended);
  CHECK(ended.error().fault == Fault::cancelled);
  CHECK(must(host.run({.argv = {"pgrep", "-f", "sleep " + mark}})).status == 1);
}

TEST_CASE("real host: a daemon left behind does not hold the task", "[agent][host]") {
  RealHost host;

  const auto output = must(host.run({.argv = {"sh", "-c", "sleep 3 & echo started"}}));

  CHECK(output.status == 0);
  CHECK(output.out == "started\n");
}

TEST_CASE("real host: a stop request ends the running program and refuses the next",
          "[agent][host]") {
  std::stop_source stop;
  RealHost host(stop.get_token());
  std::jthread asker([&] { stop.request_stop(); });

  const auto ended = host.run({.argv = {"sleep", "30"}});

  REQUIRE_FALSE(ended);
  CHECK(ended.error().fault == Fault::cancelled);
  CHECK(host.read_file("/proc/uptime").error().fault == Fault::cancelled);
}

}  // namespace relab::agent
