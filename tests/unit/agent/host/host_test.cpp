/// One contract, kept by the real machine and by the simulated one.

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "agent/host/real_host.h"
#include "agent/host/sim/sim_host.h"
#include "common/base/file.h"
#include "common/base/handle.h"
#include "tests/support/must.h"
#include "tests/support/scratch.h"

namespace relab::agent {

namespace {

Secrets some_secrets() {
  crypto::start();
  Secrets secrets;
  secrets.emplace("key", crypto::Secret::of(bytes_of("correct horse")));
  return secrets;
}

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

  RealHost& keyed() { return with_secrets; }

  Path root;
  RealHost host;
  Secrets secrets = some_secrets();
  RealHost with_secrets = RealHost({}, std::string(pinned_path), {.secrets = &secrets});
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
    host.secret("key", "correct horse");
    host.program("wc", [](const Command& command) {
      return Output{.out = std::to_string(command.input.size()) + "\n"};
    });
  }
  SimHost& keyed() { return host; }

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

TEMPLATE_TEST_CASE("host: a secret is what a program reads, by its name", "[agent][host]",
                   RealWorld, SimWorld) {
  TestType world;

  const auto output = must(world.keyed().run({.argv = {"wc", "-c"}, .secret_input = "key"}));

  CHECK(output == Output{.status = 0, .out = "13\n"});
  const auto missing = world.keyed().run({.argv = {"wc", "-c"}, .secret_input = "other"});
  CHECK(missing.error().fault == Fault::missing);
  CHECK(missing.error().what == "no secret 'other' came with the order");
  CHECK(world.host.run({.argv = {"true"}, .secret_input = "other"}).error().fault ==
        Fault::missing);
}

TEST_CASE("real host: a program that repeats a secret is not repeated", "[agent][host]") {
  RealWorld world;

  const auto output = must(
      world.keyed().run({.argv = {"sh", "-c", "key=$(cat); echo \"<$key$key>\"; echo \"$key\" >&2"},
                         .secret_input = "key"}));

  CHECK(output.out == "<(secret)(secret)>\n");
  CHECK(output.err == "(secret)\n");
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
  CHECK(world.host.read_file(world.root / "folder").error().fault == Fault::invalid);
  CHECK(world.host.list(world.root / "folder/file").error().fault == Fault::invalid);
  CHECK(world.host.list(world.root / "folder/file/none").error().fault == Fault::missing);
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

TEMPLATE_TEST_CASE("host: a file is put in place with its rights", "[agent][host]", RealWorld,
                   SimWorld) {
  TestType world;
  const Rights rights{.uid = ::getuid(), .gid = ::getgid(), .mode = 0640};
  const auto path = world.root / "folder/new";

  must(world.host.put_file(path, {.text = "one\n"}, rights));
  must(world.host.put_file(path, {.text = "two\n"}, rights));
  must(world.keyed().put_file(world.root / "folder/secret", {.secret = "key"}, rights));

  CHECK(must(world.host.read_file(path)) == "two\n");
  CHECK(must(world.host.status(path)).mode == 0640);
  CHECK(must(world.host.status(path)).uid == rights.uid);
  CHECK(must(world.host.read_file(world.root / "folder/secret")) == "correct horse");
  CHECK(must(world.host.list(world.root / "folder")) ==
        std::vector<std::string>{"empty", "file", "link", "new", "secret"});
}

TEMPLATE_TEST_CASE("host: when a file was put in place is told", "[agent][host]", RealWorld,
                   SimWorld) {
  TestType world;
  const auto path = world.root / "folder/file";
  // The kernel's clock of files is late by some milliseconds.
  const auto before = world.host.now() - std::chrono::seconds(1);

  must(world.host.put_file(path, {.text = "x"},
                           {.uid = ::getuid(), .gid = ::getgid(), .mode = 0644}));

  const auto status = must(world.host.status(path));
  CHECK(status.modified >= before);
  CHECK(status.changed >= before);
}

TEST_CASE("real host: a file that is given an older time has changed all the same",
          "[agent][host]") {
  RealWorld world;
  const auto file = world.root / "folder/file";
  const auto before = world.host.now() - std::chrono::seconds(1);

  std::filesystem::last_write_time(
      file, std::filesystem::file_time_type::clock::now() - std::chrono::hours(240));

  const auto status = must(world.host.status(file));
  CHECK(status.modified < before - std::chrono::hours(200));
  CHECK(status.changed >= before);
}

TEMPLATE_TEST_CASE("host: no file is put through a link, over a folder, or into nowhere",
                   "[agent][host]", RealWorld, SimWorld) {
  TestType world;
  const Rights rights{.uid = ::getuid(), .gid = ::getgid(), .mode = 0640};
  const auto fault_at = [&](const char* path) {
    const auto put = world.host.put_file(world.root / path, {.text = "x"}, rights);
    return put ? Fault::cancelled : put.error().fault;
  };

  CHECK(fault_at("folder/link") == Fault::conflict);
  CHECK(fault_at("dangling") == Fault::conflict);
  CHECK(fault_at("folder") == Fault::conflict);
  CHECK(fault_at("way/new") == Fault::conflict);
  CHECK(fault_at("folder/file/new") == Fault::conflict);
  CHECK(fault_at("none/new") == Fault::missing);
  CHECK(must(world.host.read_file(world.root / "folder/file")) == "content\n");
  CHECK(world.host.put_file(world.root / "folder/new", {.secret = "other"}, rights).error().fault ==
        Fault::missing);
  CHECK(world.host.status(world.root / "folder/new").error().fault == Fault::missing);
}

TEMPLATE_TEST_CASE("host: a folder is made with its rights, or has them changed", "[agent][host]",
                   RealWorld, SimWorld) {
  TestType world;
  const Rights rights{.uid = ::getuid(), .gid = ::getgid(), .mode = 0710};

  must(world.host.put_directory(world.root / "made", rights));
  must(world.host.put_directory(world.root / "folder", rights));

  CHECK(must(world.host.status(world.root / "made")).type == FileType::directory);
  CHECK(must(world.host.status(world.root / "made")).mode == 0710);
  CHECK(must(world.host.status(world.root / "folder")).mode == 0710);
  CHECK(must(world.host.list(world.root / "folder")).size() == 3);
  CHECK(world.host.put_directory(world.root / "way", rights).error().fault == Fault::conflict);
  CHECK(world.host.put_directory(world.root / "folder/file", rights).error().fault ==
        Fault::conflict);
  CHECK(world.host.put_directory(world.root / "none/made", rights).error().fault == Fault::missing);
}

TEMPLATE_TEST_CASE("host: a command that no role lists is refused", "[agent][host]", RealWorld,
                   SimWorld) {
  TestType world;

  CHECK(world.host.listed_command("status").error().fault == Fault::refused);
}

TEST_CASE("real host: what a crash left of a new file is cleared away", "[agent][host]") {
  RealWorld world;
  std::ofstream(world.root / "folder/.new.relab-new") << "half";

  must(world.host.put_file(world.root / "folder/new", {.text = "whole"},
                           {.uid = ::getuid(), .gid = ::getgid(), .mode = 0600}));

  CHECK(must(world.host.read_file(world.root / "folder/new")) == "whole");
  CHECK_FALSE(world.host.status(world.root / "folder/.new.relab-new"));
}

TEST_CASE("real host: on a full disk the old file stands, and nothing else", "[agent][host]") {
  if (!std::filesystem::exists("/dev/full")) return;
  RealWorld world;
  // A limit on the size of files is as good as a full disk, and needs no mount.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{.rlim_cur = 4096, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  const auto put =
      world.host.put_file(world.root / "folder/file", {.text = std::string(65536, 'x')},
                          {.uid = ::getuid(), .gid = ::getgid(), .mode = 0600});
  static_cast<void>(std::signal(SIGXFSZ, ignored));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);

  CHECK_FALSE(put);
  CHECK(must(world.host.read_file(world.root / "folder/file")) == "content\n");
  CHECK(must(world.host.list(world.root / "folder")).size() == 3);
}

namespace {

/// A socket that listens on the loopback.
struct Listener {
  Listener() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd.get(), generic, size) == 0);
    REQUIRE(::listen(fd.get(), 1) == 0);
    REQUIRE(::getsockname(fd.get(), generic, &size) == 0);
    port = ntohs(address.sin_port);
  }
  Fd fd;
  std::uint16_t port = 0;
};

}  // namespace

TEST_CASE("real host: a connection is accepted, refused, or silent", "[agent][host]") {
  RealHost host;
  std::uint16_t closed = 0;
  {
    const Listener listener;
    closed = listener.port;
    const auto open = must(host.connect({.address = "127.0.0.1", .port = closed}, Millis(1000)));
    CHECK(open.reach == Reach::open);
    // The queue of connections that nobody takes is full after a few: then nothing answers.
    std::vector<Fd> more;
    Reached last{.reach = Reach::open};
    for (int i = 0; i < 8 && last.reach == Reach::open; ++i) {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(listener.port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      more.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      static_cast<void>(
          ::connect(more.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address));
      last = must(host.connect({.address = "127.0.0.1", .port = listener.port}, Millis(300)));
    }
    CHECK(last.reach == Reach::silent);
  }
  CHECK(must(host.connect({.address = "127.0.0.1", .port = closed}, Millis(1000))).reach ==
        Reach::refused);
  CHECK(host.connect({.address = "localhost", .port = 1}, Millis(10)).error().fault ==
        Fault::invalid);
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

namespace {

/// Gathers, until it has had enough.
class Gathering final : public Sink {
 public:
  explicit Gathering(std::size_t enough = SIZE_MAX) : enough_(enough) {}
  Result<void> take(ByteView piece) override {
    REQUIRE_FALSE(piece.empty());
    text += text_of(piece);
    if (text.size() < enough_) return {};
    return fail(Fault::busy, "that is enough");
  }

  std::string text;

 private:
  std::size_t enough_;
};

std::string noise(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (auto& letter : text)
    letter = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
  return text;
}

}  // namespace

TEMPLATE_TEST_CASE("host: a file has its name once it is whole", "[agent][host]", RealWorld,
                   SimWorld) {
  TestType world;
  const auto part = world.root / "folder/new.part";
  const auto name = world.root / "folder/new";
  const auto text = noise(GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{4096},
                                   std::size_t{100001}, std::size_t{5} << 20U));

  auto file = must(world.host.create_file(part));
  for (std::size_t at = 0; at < text.size(); at += 70001)
    must(file->take(bytes_of(std::string_view(text).substr(at, 70001))));
  CHECK(world.host.status(name).error().fault == Fault::missing);
  must(file->publish(name));
  file.reset();

  Gathering read;
  must(world.host.read_through(name, {}, read));
  CHECK(read.text == text);
  CHECK(must(world.host.status(name)).size == text.size());
  CHECK(must(world.host.status(name)).mode == 0600);
  CHECK(world.host.status(part).error().fault == Fault::missing);
}

TEMPLATE_TEST_CASE("host: of a range what there is of it is read", "[agent][host]", RealWorld,
                   SimWorld) {
  TestType world;
  const auto name = world.root / "folder/large";
  const auto text = noise((std::size_t{5} << 20U) + 77);
  auto file = must(world.host.create_file(world.root / "folder/part"));
  must(file->take(bytes_of(text)));
  must(file->publish(name));
  const auto range = GENERATE(Range{.offset = 0, .size = 1}, Range{.offset = 4096, .size = 8192},
                              Range{.offset = 1U << 20U, .size = (3U << 20U) + 5},
                              Range{.offset = 5U << 20U, .size = 4096},
                              Range{.offset = 6U << 20U, .size = 4096}, Range{.offset = 8192});

  Gathering read;
  must(world.host.read_through(name, range, read));

  CHECK(read.text == (range.offset < text.size() ? text.substr(range.offset, range.size) : ""));
}

TEMPLATE_TEST_CASE("host: a file that is given up leaves nothing", "[agent][host]", RealWorld,
                   SimWorld) {
  TestType world;
  const auto part = world.root / "folder/new.part";
  {
    auto file = must(world.host.create_file(part));
    must(file->take(bytes_of("half of it")));
    CHECK(must(world.host.status(part)).type == FileType::regular);
  }
  CHECK(world.host.status(part).error().fault == Fault::missing);
}

TEMPLATE_TEST_CASE("host: a new file takes the place of none", "[agent][host]", RealWorld,
                   SimWorld) {
  TestType world;
  CHECK(world.host.create_file(world.root / "folder/file").error().fault == Fault::conflict);
  CHECK(world.host.create_file(world.root / "none/file").error().fault == Fault::missing);

  auto file = must(world.host.create_file(world.root / "folder/part"));
  CHECK(file->publish(world.root / "folder/file").error().fault == Fault::conflict);
  file.reset();

  CHECK(must(world.host.read_file(world.root / "folder/file")) == "content\n");
  CHECK(must(world.host.list(world.root / "folder")) ==
        std::vector<std::string>{"empty", "file", "link"});
}

TEMPLATE_TEST_CASE("host: what a program prints flows, and its status comes after", "[agent][host]",
                   RealWorld, SimWorld) {
  TestType world;
  Gathering all;
  const auto output = must(world.host.stream({.argv = {"printf", "one", "two"}}, all));
  CHECK(all.text == "one");
  CHECK(output.out.empty());
  CHECK(output.status == 0);

  Gathering little(2);
  const auto ended = world.host.stream({.argv = {"printf", "one", "two"}}, little);
  CHECK(ended.error().what == "that is enough");

  Gathering none;
  CHECK(world.host.stream({.argv = {"relab-no-such-program"}}, none).error().fault ==
        Fault::missing);
}

TEMPLATE_TEST_CASE("host: a program is fed a file, and who looks on has it all", "[agent][host]",
                   RealWorld, SimWorld) {
  std::signal(SIGPIPE, SIG_IGN);  // as the agent has it
  TestType world;
  Gathering all;
  const auto output =
      must(world.host.feed(world.root / "folder/file", {.argv = {"wc", "-c"}}, all));
  CHECK(output == Output{.status = 0, .out = "8\n"});
  CHECK(all.text == "content\n");

  Gathering empty;
  CHECK(must(world.host.feed(world.root / "folder/empty", {.argv = {"wc", "-c"}}, empty)).out ==
        "0\n");
  Gathering little(2);
  CHECK(world.host.feed(world.root / "folder/file", {.argv = {"wc", "-c"}}, little).error().what ==
        "that is enough");
  Gathering none;
  CHECK(world.host.feed(world.root / "none", {.argv = {"wc", "-c"}}, none).error().fault ==
        Fault::missing);
  CHECK(world.host.feed(world.root / "folder/file", {.argv = {"relab-no-such-program"}}, none)
            .error()
            .fault == Fault::missing);
}

TEST_CASE("real host: a program that wants no more of a file ends by itself", "[agent][host]") {
  std::signal(SIGPIPE, SIG_IGN);
  RealWorld world;
  std::ofstream(world.root / "large") << std::string(std::size_t{9} << 20U, 'x');
  Gathering all;

  const auto output = must(world.host.feed(
      world.root / "large",
      {.argv = {"sh", "-c", "head -c 3 && echo enough >&2 && exec <&- && sleep 0.2 && exit 3"}},
      all));

  CHECK(output == Output{.status = 3, .out = "xxx", .err = "enough\n"});
}

TEST_CASE("real host: a program that does not take its file is ended", "[agent][host]") {
  RealWorld world;
  std::ofstream(world.root / "large") << std::string(std::size_t{9} << 20U, 'x');
  Gathering all;

  const auto late = world.host.feed(
      world.root / "large", {.argv = {"sleep", "600"}, .timeout = std::chrono::seconds(1)}, all);
  CHECK(late.error().fault == Fault::cancelled);

  std::stop_source stop;
  RealHost host(stop.get_token());
  std::jthread person([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stop.request_stop();
  });
  CHECK(host.feed(world.root / "large", {.argv = {"sleep", "600"}}, all).error().fault ==
        Fault::cancelled);
}

TEMPLATE_TEST_CASE("host: a program reads what another prints, and who looks on has it all",
                   "[agent][host]", RealWorld, SimWorld) {
  std::signal(SIGPIPE, SIG_IGN);  // as the agent has it
  TestType world;
  Gathering all;
  const auto piped =
      must(world.host.pipe({.argv = {"printf", "one", "two"}}, {.argv = {"wc", "-c"}}, all));
  // With a warning, where it is real.
  CHECK(piped.from.status == 0);
  CHECK(piped.from.out.empty());
  CHECK(piped.to == Output{.out = "3\n"});
  CHECK(all.text == "one");

  Gathering nothing;
  CHECK(must(world.host.pipe({.argv = {"false"}}, {.argv = {"wc", "-c"}}, nothing)) ==
        Piped{.from = {.status = 1}, .to = {.out = "0\n"}});
  CHECK(must(world.host.pipe({.argv = {"printf", "one", "two"}}, {.argv = {"false"}}, nothing))
            .to.status == 1);
  Gathering little(2);
  CHECK(world.host.pipe({.argv = {"printf", "one", "two"}}, {.argv = {"wc", "-c"}}, little)
            .error()
            .what == "that is enough");
  const auto none = std::vector<std::string>{"relab-no-such-program"};
  CHECK(world.host.pipe({.argv = none}, {.argv = {"wc", "-c"}}, all).error().fault ==
        Fault::missing);
  CHECK(world.host.pipe({.argv = {"printf", "one", "two"}}, {.argv = none}, all).error().fault ==
        Fault::missing);
}

TEST_CASE("real host: both ends of a pipe are told apart, with their words", "[agent][host]") {
  std::signal(SIGPIPE, SIG_IGN);
  RealHost host;
  Gathering all;

  const auto broken = must(host.pipe({.argv = {"sh", "-c", "echo half; echo broke >&2; exit 3"}},
                                     {.argv = {"sh", "-c", "cat; echo took >&2; exit 4"}}, all));
  CHECK(broken == Piped{.from = {.status = 3, .err = "broke\n"},
                        .to = {.status = 4, .out = "half\n", .err = "took\n"}});

  // The second one has had enough: the first, which would go on for ever, is ended.
  Gathering flood;
  const auto enough = must(host.pipe(
      {.argv = {"yes"}}, {.argv = {"sh", "-c", "head -c 4; exec <&-; sleep 0.2; exit 5"}}, flood));
  CHECK(enough.to == Output{.status = 5, .out = "y\ny\n"});
  CHECK(enough.from.status != 0);
}

TEST_CASE("real host: much flows through a pipe whole, however slow its end is", "[agent][host]") {
  RealHost host;
  Gathering all;
  const std::string slow = "head -c 100000 | wc -c; sleep 0.3; cat | wc -c; seq 1 20000 >&2";

  const auto piped = must(host.pipe({.argv = {"sh", "-c", "seq 1 20000 >&2; seq 1 1000000"}},
                                    {.argv = {"sh", "-c", slow}}, all));

  CHECK(all.text.size() == 6888896);
  CHECK(piped.from.status == 0);
  CHECK(piped.to.status == 0);
  CHECK(piped.from.err.size() == 108894);
  CHECK(piped.to.err.size() == 108894);
  CHECK(piped.to.out.starts_with("100000\n"));
}

TEST_CASE("real host: both programs of a pipe end with their task", "[agent][host]") {
  const auto mark = std::to_string(70'000 + ::getpid() % 10'000);
  std::stop_source stop;
  RealHost host(stop.get_token());
  std::jthread person([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stop.request_stop();
  });
  Gathering all;

  const auto ended = host.pipe({.argv = {"sleep", mark}}, {.argv = {"sleep", mark}}, all);

  CHECK(ended.error().fault == Fault::cancelled);
  RealHost other;
  CHECK(must(other.run({.argv = {"pgrep", "-f", "sleep " + mark}})).status == 1);
  const auto late = other.pipe({.argv = {"sleep", mark}, .timeout = std::chrono::seconds(1)},
                               {.argv = {"cat"}}, all);
  CHECK(late.error().fault == Fault::cancelled);
}

TEMPLATE_TEST_CASE("host: what is read through may be refused in the middle", "[agent][host]",
                   RealWorld, SimWorld) {
  TestType world;
  Gathering little(3);
  CHECK(world.host.read_through(world.root / "folder/file", {}, little).error().what ==
        "that is enough");
  Gathering none;
  CHECK(world.host.read_through(world.root / "folder", {}, none).error().fault == Fault::invalid);
  CHECK(world.host.read_through(world.root / "none", {}, none).error().fault == Fault::missing);
}

TEMPLATE_TEST_CASE("host: files are removed, folders are not", "[agent][host]", RealWorld,
                   SimWorld) {
  TestType world;
  must(world.host.remove_file(world.root / "folder/file"));
  must(world.host.remove_file(world.root / "folder/file"));
  CHECK(world.host.remove_file(world.root / "folder").error().fault == Fault::invalid);
  CHECK(must(world.host.list(world.root / "folder")) == std::vector<std::string>{"empty", "link"});
}

TEMPLATE_TEST_CASE("host: a file system tells its room", "[agent][host]", RealWorld, SimWorld) {
  TestType world;
  const auto room = must(world.host.file_system(world.root));
  CHECK(room.free > 0);
  CHECK(room.size >= room.free);
  CHECK(world.host.file_system(world.root / "none").error().fault == Fault::missing);
}

TEST_CASE("host: the whole flow of a program comes, however slowly it is taken", "[agent][host]") {
  /// Slower than the program: much of it waits in the pipe when that has ended.
  class Slow final : public Sink {
   public:
    Result<void> take(ByteView piece) override {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      size += piece.size();
      return {};
    }
    std::size_t size = 0;
  };
  RealHost host;
  Slow slow;

  const auto output = must(host.stream({.argv = {"head", "-c", "5000000", "/dev/zero"}}, slow));

  CHECK(output.status == 0);
  CHECK(slow.size == 5000000);
}

TEST_CASE("host: a program's output flows into a file as it is", "[agent][host]") {
  /// Lets it be read straight into the file's buffers.
  class Into final : public Sink {
   public:
    explicit Into(NewFile& file) : file_(file) {}
    Result<void> take(ByteView piece) override { return file_.take(piece); }
    std::span<std::uint8_t> room() override { return file_.room(); }

   private:
    NewFile& file_;
  };
  const Scratch scratch;
  RealHost host;
  const auto text = noise((std::size_t{9} << 20U) + 4097);
  must(replace_file(scratch.path() / "from", text));
  const auto file = must(host.create_file(scratch.path() / "part"));
  Into into(*file);

  must(host.stream({.argv = {"cat", (scratch.path() / "from").string()}}, into));
  must(file->publish(scratch.path() / "to"));

  CHECK(must(host.read_file(scratch.path() / "to", std::size_t{16} << 20U)) == text);
}

TEST_CASE("host: a flow that never ends is ended", "[agent][host]") {
  RealHost host;
  Gathering all;

  // The program ends, and its child keeps the pipe.
  const auto kept = host.stream(
      {.argv = {"sh", "-c", "sleep 600 & echo begun"}, .timeout = std::chrono::seconds(1)}, all);

  CHECK(kept.error().fault == Fault::cancelled);
  CHECK(all.text == "begun\n");
}

TEST_CASE("host: a full disk is told, with how much was written, and leaves nothing",
          "[agent][host]") {
  // A file system of one MiB, in a namespace of its own.
  if (::geteuid() != 0) return;
  const Scratch scratch;
  const auto mounted = std::system(
      ("mount -t tmpfs -o size=1M none " + scratch.path().string() + " 2>/dev/null").c_str());
  if (mounted != 0) {
    WARN("no tmpfs can be mounted here");
    return;
  }
  RealHost host;
  Result<void> taken;
  {
    auto file = must(host.create_file(scratch.path() / "part"));
    const auto text = noise(std::size_t{1} << 20U);
    for (int piece = 0; piece < 32 && taken; ++piece) taken = file->take(bytes_of(text));
    if (taken) taken = file->publish(scratch.path() / "whole");
  }
  const auto left = must(host.list(scratch.path()));
  CHECK(std::system(("umount " + scratch.path().string()).c_str()) == 0);

  REQUIRE_FALSE(taken);
  CHECK(taken.error().fault == Fault::busy);
  CHECK(taken.error().what.find("the disk is full") == 0);
  CHECK(left.empty());
}

}  // namespace relab::agent
