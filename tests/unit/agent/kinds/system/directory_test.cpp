#include "agent/kinds/system/directory.h"

#include "agent/host/sim/sim_host.h"
#include "agent/kinds/carry_out.h"
#include "tests/support/must.h"

namespace relab::agent::system {

namespace {

using Texts = std::vector<std::string>;

struct Machine {
  Machine() {
    host.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:990:991::/:/bin/false\n");
    host.file("/etc/group", "root:x:0:\napp:x:991:\n");
    host.directory("/srv");
  }
  Work carry_out(const std::string& params, schema::Mode mode = schema::Mode::APPLY) {
    Draft<schema::Order> order;
    order->setMode(mode);
    order->setTask(
        must(Message<schema::Task>::from_json(R"({"directory": {)" + params + "}}")).reader());
    return relab::agent::carry_out(order->asReader(), {.host = host, .rescue = host},
                                   [](const auto& /*facts*/) { return Result<void>(); });
  }

  SimHost host;
};

}  // namespace

TEST_CASE("directory: it is made with its owner and mode", "[agent][system]") {
  Machine machine;

  const auto work = machine.carry_out(R"("path": "/srv/media", "owner": "app", "mode": "2775")");

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(work.changes == Texts{"+ /srv/media/, 990:0 2775"});
  CHECK(must(machine.host.status("/srv/media")).mode == 02775);
}

TEST_CASE("directory: one that is there keeps what is in it", "[agent][system]") {
  Machine machine;
  machine.host.file("/srv/media/film", "bytes");

  const auto work = machine.carry_out(R"("path": "/srv/media", "owner": "app")");

  CHECK(work.changes == Texts{"~ /srv/media/, 0:0 0755 becomes 990:0 0755"});
  CHECK(must(machine.host.read_file("/srv/media/film")) == "bytes");
  CHECK(machine.carry_out(R"("path": "/srv/media", "owner": "app")").changes.empty());
}

TEST_CASE("directory: those above are made only if asked", "[agent][system]") {
  Machine machine;

  const auto not_asked = machine.carry_out(R"("path": "/srv/a/b/c")");
  const auto asked = machine.carry_out(R"("path": "/srv/a/b/c", "mode": "0700", "parents": true)");

  CHECK(not_asked.failure.fault == Fault::missing);
  CHECK_THAT(not_asked.failure.hint, Catch::Contains("parents"));
  CHECK(asked.changes ==
        Texts{"+ /srv/a/, 0:0 0755", "+ /srv/a/b/, 0:0 0755", "+ /srv/a/b/c/, 0:0 0700"});
}

TEST_CASE("directory: a check fails, too, where one above is missing and is not to be made",
          "[agent][system]") {
  Machine machine;

  const auto not_asked = machine.carry_out(R"("path": "/srv/a/b/c")", schema::Mode::CHECK);
  const auto asked =
      machine.carry_out(R"("path": "/srv/a/b/c", "parents": true)", schema::Mode::CHECK);

  CHECK(not_asked.outcome == schema::Outcome::FAILED);
  CHECK(not_asked.failure.fault == Fault::missing);
  CHECK(not_asked.failure.what == "there is no /srv/a");
  CHECK_THAT(not_asked.failure.hint, Catch::Contains("parents"));
  CHECK(asked.changes.size() == 3);
}

TEST_CASE("directory: one above that came meanwhile keeps its rights", "[agent][system]") {
  Machine machine;
  machine.host.directory("/srv/a");
  REQUIRE(machine.host.put_directory("/srv/a", {.uid = 5, .gid = 5, .mode = 0700}));

  CHECK(Directory::apply({.what = {}, .how = {"/srv/a", "0 0 493", "yet"}}, machine.host));

  CHECK(must(machine.host.status("/srv/a")).mode == 0700);
}

TEST_CASE("directory: what is in the way stays there", "[agent][system]") {
  Machine machine;
  machine.host.file("/srv/file", "x");
  machine.host.link("/srv/link", "/etc");
  const auto path =
      GENERATE(as<std::string>(), "/srv/file", "/srv/link", "/srv/link/below", "/srv/file/below");

  const auto work = machine.carry_out(R"("parents": true, "path": ")" + path + "\"");

  CHECK(work.outcome == schema::Outcome::REFUSED);
}

}  // namespace relab::agent::system
