#include "agent/kinds/system/file.h"

#include "agent/host/sim/sim_host.h"
#include "agent/kinds/carry_out.h"
#include "agent/kinds/system/difference.h"
#include "agent/kinds/system/rights.h"
#include "common/crypto/sha256.h"
#include "tests/support/faulty_host.h"
#include "tests/support/must.h"

namespace relab::agent::system {

namespace {

using Texts = std::vector<std::string>;

/// A machine with a folder for the file.
struct Machine {
  Machine() {
    host.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:990:991::/:/bin/false\n");
    host.file("/etc/group", "root:x:0:\napp:x:991:\n");
    host.directory("/etc/app");
    host.program("cmp", [this](const Command& command) -> Result<Output> {
      const auto there = host.read_file(command.argv.back());
      if (!there) return Output{.status = 2, .err = "cmp: no such file\n"};
      return Output{.status = *there == command.input ? 0 : 1};
    });
  }
  Work carry_out(const std::string& params, schema::Mode mode = schema::Mode::APPLY) {
    return carry_out_on(host, params, mode);
  }
  static Work carry_out_on(Host& on, const std::string& params,
                           schema::Mode mode = schema::Mode::APPLY) {
    Draft<schema::Order> order;
    order->setMode(mode);
    order->setTask(must(Message<schema::Task>::from_json(
                            R"({"file": {"path": "/etc/app/app.conf", )" + params + "}}"))
                       .reader());
    return relab::agent::carry_out(order->asReader(), {.host = on, .rescue = on},
                                   [](const auto& /*facts*/) { return Result<void>(); });
  }

  SimHost host;
};

}  // namespace

TEST_CASE("file: one that is not there is written with its owner and mode", "[agent][system]") {
  Machine machine;

  const auto work =
      machine.carry_out(R"("content": "one\n", "owner": "app", "group": "app", "mode": "0640")");

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(work.changes == Texts{"+ /etc/app/app.conf, 4 bytes, sha256 " +
                              crypto::sha256(bytes_of("one\n")).substr(0, 12) + ", 990:991 0640"});
  CHECK(must(machine.host.read_file("/etc/app/app.conf")) == "one\n");
  const auto status = must(machine.host.status("/etc/app/app.conf"));
  CHECK(status.uid == 990);
  CHECK(status.gid == 991);
  CHECK(status.mode == 0640);
  CHECK(view(work.facts->reader().getFile().getDigest()) == crypto::sha256(bytes_of("one\n")));
}

TEST_CASE("file: what differs is shown as lines", "[agent][system]") {
  Machine machine;
  machine.host.file("/etc/app/app.conf", "one\ntwo\nthree\nfour\n");

  const auto work = machine.carry_out(R"("content": "one\ntwo\n3\nfour\n")", schema::Mode::CHECK);

  REQUIRE(work.changes.size() == 1);
  CHECK_THAT(work.changes[0],
             Catch::EndsWith("\n          two\n        - three\n        + 3\n          four"));
  CHECK(must(machine.host.read_file("/etc/app/app.conf")) == "one\ntwo\nthree\nfour\n");
}

TEST_CASE("file: what is as ordered is left alone", "[agent][system]") {
  Machine machine;
  machine.host.file("/etc/app/app.conf", "one\n");

  const auto work = machine.carry_out(R"("content": "one\n")");

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(work.changes.empty());
}

TEST_CASE("file: another mode alone is a change, too", "[agent][system]") {
  Machine machine;
  machine.host.file("/etc/app/app.conf", "one\n", {.mode = 0666, .uid = 7, .gid = 8});

  const auto work = machine.carry_out(R"("content": "one\n")");

  CHECK(work.changes == Texts{"~ /etc/app/app.conf, 7:8 0666 becomes 0:0 0644"});
  CHECK(must(machine.host.status("/etc/app/app.conf")).mode == 0644);
}

TEST_CASE("file: nothing is written through a link, over a folder or a device", "[agent][system]") {
  Machine machine;
  const auto what = GENERATE(as<std::string>(), "link", "folder", "device", "linked folder");
  if (what == "link") machine.host.link("/etc/app/app.conf", "/etc/shadow");
  if (what == "folder") machine.host.directory("/etc/app/app.conf");
  if (what == "device") machine.host.device("/etc/app/app.conf", {.type = FileType::block});
  if (what == "linked folder") {
    machine.host.remove("/etc/app");
    machine.host.directory("/elsewhere");
    machine.host.link("/etc/app", "/elsewhere");
  }

  const auto work = machine.carry_out(R"("content": "one\n")");

  CHECK(work.outcome == schema::Outcome::REFUSED);
  CHECK_THAT(work.failure.what, Catch::Contains("/etc/app/app.conf is not written"));
}

TEST_CASE("file: without its folder it cannot be written", "[agent][system]") {
  Machine machine;
  machine.host.remove("/etc/app");

  const auto work = machine.carry_out(R"("content": "one\n")");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.fault == Fault::missing);
  CHECK_FALSE(work.failure.hint.empty());
}

TEST_CASE("file: on a full disk the old one stands", "[agent][system]") {
  Machine machine;
  machine.host.file("/etc/app/app.conf", "old\n");
  machine.host.file_system("/etc", {.size = 100, .free = 10});

  const auto work = machine.carry_out(R"("content": "much more than ten bytes\n")");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.fault == Fault::busy);
  CHECK(must(machine.host.read_file("/etc/app/app.conf")) == "old\n");
}

TEST_CASE("file: an owner that the machine does not have is an error", "[agent][system]") {
  Machine machine;

  const auto work = machine.carry_out(R"("content": "one\n", "owner": "nobody-here")");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.fault == Fault::missing);
}

TEST_CASE("file: what is no path, no mode, or too much is refused", "[agent][system]") {
  SimHost host;
  host.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
  host.file("/etc/group", "root:x:0:\n");
  const auto json = GENERATE(
      as<std::string>(), R"({"path": "etc/x"})", R"({"path": "/etc/../x"})", R"({"path": "/etc/"})",
      R"({"path": "/etc//x"})", R"({"path": "/etc/x\ny"})", R"({"path": ""})",
      R"({"path": "/etc/x", "mode": "9"})", R"({"path": "/etc/x", "mode": "77777"})",
      R"({"path": "/etc/x", "mode": ""})", R"({"path": "/etc/x", "content": "a", "secret": "b"})");

  const auto facts = File::observe(must(Message<schema::File>::from_json(json)).reader(), host);

  REQUIRE_FALSE(facts);
  CHECK(facts.error().fault == Fault::invalid);
}

TEST_CASE("file: of a secret nothing is told but its name", "[agent][system]") {
  Machine machine;
  machine.host.secret("key", "correct horse battery");
  const bool is_there = GENERATE(false, true);
  if (is_there) machine.host.file("/etc/app/app.conf", "an older secret\n");

  const auto work = machine.carry_out(R"("secret": "key", "mode": "0600")");
  const auto again = machine.carry_out(R"("secret": "key", "mode": "0600")");

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(must(machine.host.read_file("/etc/app/app.conf")) == "correct horse battery");
  CHECK(again.changes.empty());
  auto told = work.facts->to_json();
  for (const auto& change : work.changes) told += change;
  CHECK_THAT(told, !Catch::Contains("horse") && !Catch::Contains("older"));
  CHECK_THAT(told,
             !Catch::Contains(crypto::sha256(bytes_of("correct horse battery")).substr(0, 12)));
  CHECK(work.facts->reader().getFile().getSize() == 0);
}

TEST_CASE("file: a comparison that fails is no sign of being the same", "[agent][system]") {
  Machine machine;
  machine.host.secret("key", "correct horse battery");
  machine.host.file("/etc/app/app.conf", "correct horse battery");
  machine.host.program("cmp", Output{.status = 2, .err = "cmp: EIO\n"});

  const auto work = machine.carry_out(R"("secret": "key")");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.fault == Fault::damaged);
}

TEST_CASE("file: a secret that did not come with the order is an error", "[agent][system]") {
  Machine machine;

  CHECK(machine.carry_out(R"("secret": "key")").outcome == schema::Outcome::FAILED);
}

TEST_CASE("difference: it is short, and has no secrets in it", "[agent][system]") {
  std::string from;
  std::string to;
  for (int i = 0; i < 300; ++i) from += "line " + std::to_string(i) + "\n";
  for (int i = 0; i < 300; ++i) to += "other " + std::to_string(i) + "\n";

  CHECK(difference(from, to).size() == 41);
  CHECK(difference(from, to).back() == "  (560 more lines)");
  CHECK(difference("password = old\n", "password = new\n") ==
        Texts{"- password = ***", "+ password = ***"});
  CHECK(difference("<ApiKey>abc</ApiKey>\n", "") == Texts{"- <ApiKey> ***"});
  CHECK(difference("MIIBjzCCATSgAwIBAgIUCMBQDqmhhA72pyphWHxURrF2rUwCgYIKoZI\n", "") ==
        Texts{"- ***"});
  CHECK(difference("a\nb\n", "b\nc\n") == Texts{"- a", "  b", "+ c"});
  CHECK(difference("a\n", "a") == Texts{"  a", "  (they differ in the ends of lines)"});
  CHECK(difference("a\n", "a\n").empty());
  CHECK(difference("", "a\n") == Texts{"+ a"});
}

TEST_CASE("rights: a name is looked up in the tables of the machine", "[agent][system]") {
  const auto* table = "root:x:0:0::/root:/bin/sh\nbroken\nbad:x:many:\nvideo:x:44:\n";

  CHECK(parse_id(table, "video") == std::uint32_t{44});
  CHECK_FALSE(parse_id(table, "bad"));
  CHECK_FALSE(parse_id(table, "nobody"));
}

}  // namespace relab::agent::system
