// What would not survive, archived and read back: on a simulated machine, and with real tar on real
// files.

#include "agent/kinds/archive/preserve.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "agent/host/forwarding_host.h"
#include "agent/host/real_host.h"
#include "agent/kinds/archive/drift.h"
#include "agent/kinds/archive/restore.h"
#include "agent/kinds/archive/stored.h"
#include "agent/kinds/archive/writing.h"
#include "agent/kinds/carry_out.h"
#include "tests/support/must.h"
#include "tests/support/scratch.h"
#include "tests/support/sim_tar.h"
#include "tests/support/sim_zfs.h"

namespace relab::agent::archive {

namespace {

using State = schema::ZfsBackup::State;

constexpr const char* archive_path = "/mnt/usb/config.tar.zst";

Work work_on(Host& host, const std::string& task) {
  Draft<schema::Order> order;
  order->setMode(schema::Mode::APPLY);
  order->setTask(must(Message<schema::Task>::from_json(task)).reader());
  const auto message = std::move(order).finish();
  return carry_out(message.reader(), {.host = host, .rescue = host},
                   [](const auto& /*facts*/) { return Result<void>(); });
}

struct Machine {
  Machine() {
    add_usb_disk(host);
    tar.install(host);
    host.file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    host.file("/etc/network/interfaces", "auto vmbr0\n", {.mode = 0644, .uid = 3});
    host.file("/etc/app/app.conf", "colour = blue\n");
    host.file("/etc/app/app.db", std::string("SQLite format 3\0and more", 24));
    host.file("/etc/app/cache/big", "left out");
  }
  std::string task(const std::string& more = "") const {
    return R"({"preserve": {"paths": ["/etc/network", "/etc/app"], "exclude": ["/etc/app/cache"],
      "folder": "/mnt/usb", "name": "config")" +
           more + "}}";
  }
  Work work(const std::string& more = "") { return work_on(host, task(more)); }
  bool is_clean() { return must(host.list("/mnt/usb")).empty(); }
  bool has_run(const std::string& what) const {
    return std::ranges::any_of(
        host.ran(), [&](const auto& line) { return line.find(what) != std::string::npos; });
  }

  SimHost host;
  SimTar tar;
};

std::vector<std::string> paths_of(const schema::ArchiveManifest::Reader& manifest) {
  std::vector<std::string> paths;
  for (const auto& entry : entries_of(manifest)) paths.push_back(entry.path);
  return paths;
}

}  // namespace

TEST_CASE("preserve: what is named is archived, read back, and signed", "[agent][archive]") {
  Machine machine;

  const auto work = machine.work();

  INFO(work.failure.sentence());
  REQUIRE(work.outcome == schema::Outcome::SUCCEEDED);
  const auto facts = work.facts->reader().getPreserve();
  CHECK(facts.getState() == State::COMPLETE);
  CHECK(facts.getEntries() == 5);
  CHECK(facts.getSignedBy().size() == 64);
  CHECK(view(facts.getDiskSerial()) == "USB1");
  REQUIRE(facts.getDatabases().size() == 1);
  CHECK(view(facts.getDatabases()[0]) == "/etc/app/app.db");
  const auto stored = must(read_stored(machine.host, {.folder = "/mnt/usb", .name = "config"}));
  CHECK(paths_of(stored.manifest->reader()) ==
        std::vector<std::string>{"/etc/network", "/etc/network/interfaces", "/etc/app",
                                 "/etc/app/app.conf", "/etc/app/app.db"});
  CHECK(must(machine.host.list("/mnt/usb")) ==
        std::vector<std::string>{"config.head.dsse", "config.manifest", "config.manifest.dsse",
                                 "config.tar.zst"});
  CHECK(machine.work().changes.empty());
}

TEST_CASE("preserve: tar that did not archive everything leaves no archive", "[agent][archive]") {
  Machine machine;
  std::string why;
  SECTION("it says so, with success") {
    machine.tar.words = "tar: ./etc/app/app.conf: Cannot open: Permission denied\n";
    why = "Cannot open: Permission denied";
  }
  SECTION("it says nothing") {
    machine.tar.status = 2;
    why = "tar ended with 2";
  }
  SECTION("its stream has no end") {
    machine.tar.cut = 6144;
    why = "tar's stream has no end";
  }
  SECTION("its stream is cut") {
    machine.tar.cut = 7000;
    why = "tar's stream has no end";
  }

  const auto work = machine.work();

  INFO(work.failure.sentence());
  CHECK(work.outcome != schema::Outcome::SUCCEEDED);
  CHECK(work.failure.sentence().find(why) != std::string::npos);
  CHECK(machine.is_clean());
}

TEST_CASE("preserve: another file system below a path is named, or left out by name",
          "[agent][archive]") {
  Machine machine;
  const auto mounts = must(machine.host.read_file("/proc/self/mountinfo"));
  const auto mounted_on = [&](const std::string& point) {
    machine.host.file("/proc/self/mountinfo",
                      mounts + "50 22 0:51 / " + point + " rw - tmpfs tmpfs rw\n");
  };
  mounted_on("/etc/app/more");
  CHECK(machine.work().failure.sentence().find(
            "/etc/app/more in this machine is another file system") != std::string::npos);
  CHECK(machine.is_clean());

  mounted_on("/etc/app/cache");
  CHECK(machine.work().outcome == schema::Outcome::SUCCEEDED);

  Machine named;
  named.host.file("/proc/self/mountinfo", mounts + "50 22 0:51 / /etc/app rw - tmpfs tmpfs rw\n");
  CHECK(named.work().outcome == schema::Outcome::SUCCEEDED);
}

TEST_CASE("preserve: files that changed meanwhile are told, a database is not let pass",
          "[agent][archive]") {
  Machine machine;
  machine.tar.status = 1;
  machine.tar.words = "tar: ./etc/app/app.conf: file changed as we read it\n";
  const auto work = machine.work();
  REQUIRE(work.outcome == schema::Outcome::SUCCEEDED);
  REQUIRE(work.facts->reader().getPreserve().getChanged().size() == 1);
  CHECK(view(work.facts->reader().getPreserve().getChanged()[0]) == "/etc/app/app.conf");

  Machine inside;
  inside.tar.status = 1;
  inside.tar.words = "tar: ./etc/app/app.db: file changed as we read it\n";
  const auto refused = inside.work(R"(, "vmid": 110, "stop": ["app.service"])");
  CHECK(refused.failure.sentence().find("the database /etc/app/app.db changed meanwhile") !=
        std::string::npos);
  CHECK(inside.is_clean());
}

TEST_CASE("preserve: a database in a container needs its unit stopped, and started again",
          "[agent][archive]") {
  Machine machine;
  CHECK(machine.work(R"(, "vmid": 110)").failure.sentence().find("is a database") !=
        std::string::npos);
  CHECK(machine.is_clean());

  const auto work = machine.work(R"(, "vmid": 110, "stop": ["app.service"])");

  INFO(work.failure.sentence());
  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  const auto at = [&](const std::string& what) {
    const auto& ran = machine.host.ran();
    const auto found = std::ranges::find_if(
        ran, [&](const auto& line) { return line.find(what) != std::string::npos; });
    return found - ran.begin();
  };
  CHECK(at("systemd-run --collect --unit=relab-start-again-config") < at("systemctl stop app"));
  CHECK(at("systemctl stop app.service") < at("LC_ALL=C.UTF-8 systemctl start app.service"));
  CHECK(machine.has_run("systemctl stop relab-start-again-config.timer"));
}

TEST_CASE("preserve: a database in a container that another unit writes is not taken",
          "[agent][archive]") {
  Machine machine;
  const auto* const end = GENERATE("-wal", "-journal");
  machine.host.file("/etc/app/app.db" + std::string(end), "pages");

  const auto work = machine.work(R"(, "vmid": 110, "stop": ["other.service"])");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK_THAT(work.failure.what, Catch::Contains("is still in use, or was not closed"));
  CHECK(machine.is_clean());
}

TEST_CASE("preserve: units are started again also if the archive fails", "[agent][archive]") {
  Machine machine;
  machine.tar.status = 2;

  const auto work = machine.work(R"(, "stop": ["app.service"])");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(machine.has_run("systemctl start app.service"));
}

TEST_CASE("preserve: units are left as they were", "[agent][archive]") {
  Machine machine;
  schema::Outcome outcome = schema::Outcome::FAILED;
  std::string why;
  SECTION("one that does not run is not started") {
    machine.tar.active_state = GENERATE("inactive", "failed");
    outcome = schema::Outcome::SUCCEEDED;
  }
  SECTION("one that there is not is a mistake") {
    machine.tar.load_state = "not-found";
    why = "there is no unit 'app.service'";
  }

  const auto work = machine.work(R"(, "stop": ["app.service"])");

  CHECK(work.outcome == outcome);
  CHECK_THAT(work.failure.what, Catch::Contains(why));
  CHECK_FALSE(machine.has_run("systemctl stop app.service"));
  CHECK_FALSE(machine.has_run("systemctl start app.service"));
}

TEST_CASE("preserve: a unit that does not run again is a failure", "[agent][archive]") {
  Machine machine;
  machine.tar.comes_to = "failed";

  const auto work = machine.work(R"(, "stop": ["app.service"])");

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK_THAT(work.failure.what, Catch::Contains("'app.service' was started again"));
}

TEST_CASE("preserve: what cannot be kept is refused", "[agent][archive]") {
  Machine machine;
  std::string why;
  SECTION("a path that is not there") {
    machine.host.remove("/etc/network/interfaces");
    machine.host.remove("/etc/network");
    why = "there is no /etc/network in this machine";
  }
  SECTION("nothing is mounted") {
    machine.host.file("/proc/self/mountinfo", "22 1 0:20 / / rw shared:1 - zfs rpool/ROOT rw\n");
    why = "nothing is mounted on /mnt/usb";
  }
  SECTION("something else has the name") {
    machine.host.file(archive_path, "precious");
    why = "it has no manifest";
  }

  const auto work = machine.work();

  CHECK(work.outcome == schema::Outcome::REFUSED);
  INFO(work.failure.sentence());
  CHECK(work.failure.sentence().find(why) != std::string::npos);
}

TEST_CASE("preserve: a link is archived only with what it leads to", "[agent][archive]") {
  Machine machine;
  machine.host.remove("/etc/network/interfaces");
  machine.host.remove("/etc/network");
  machine.host.file("/srv/network/interfaces", "auto vmbr0\n");
  machine.host.link("/etc/network", "/srv/network");

  const auto work = machine.work();

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK_THAT(work.failure.sentence(),
             Catch::Contains("/etc/network in this machine is a link to /srv/network"));
  CHECK_THAT(work.failure.hint, Catch::Contains("name /srv/network in `paths` as well"));
  CHECK(machine.is_clean());
}

TEST_CASE("preserve: an archive that is not what was written is no archive", "[agent][archive]") {
  Machine machine;
  REQUIRE(machine.work().outcome == schema::Outcome::SUCCEEDED);
  auto bytes = must(machine.host.read_file(archive_path));
  std::string why;
  std::string more;
  SECTION("a flipped bit") {
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    why = "its bytes are not what was written";
  }
  SECTION("a cut") {
    bytes.resize(bytes.size() - 1);
    why = "and its manifest says";
  }
  SECTION("more behind it") {
    bytes += "x";
    why = "and its manifest says";
  }
  SECTION("nothing") {
    bytes.clear();
    why = "and its manifest says";
  }
  SECTION("a changed manifest") {
    auto text = must(machine.host.read_file("/mnt/usb/config.manifest"));
    text.replace(text.find("/etc/app"), 8, "/etc/opp");
    machine.host.file("/mnt/usb/config.manifest", text);
    why = "it signs another text";
  }
  SECTION("of another machine") {
    machine.host.file("/etc/machine-id", "another\n");
    why = "it is of another machine";
  }
  SECTION("of a container") {
    more = R"(, "vmid": 110)";
    why = "it is of this machine itself";
  }
  machine.host.file(archive_path, bytes, {.mode = 0600});

  const auto work = machine.work(more);

  CHECK(work.outcome == schema::Outcome::REFUSED);
  INFO(work.failure.sentence());
  CHECK(work.failure.sentence().find(why) != std::string::npos);
  CHECK(must(machine.host.read_file(archive_path)) == bytes);
}

TEST_CASE("preserve: what a killed attempt left is taken away", "[agent][archive]") {
  Machine machine;
  machine.host.file("/mnt/usb/config.tar.zst.part", "half");
  machine.host.file("/mnt/usb/config.manifest", "{}");
  machine.host.file("/mnt/usb/relab-databases.part/etc/app/app.db", "half");

  const auto work = machine.work();

  INFO(work.failure.sentence());
  REQUIRE(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(work.changes.size() == 3);
  CHECK(must(machine.host.list("/mnt/usb")).size() == 4);
}

namespace {

/// Whose power is cut: nothing is changed any more from one moment on.
class DyingHost final : public ForwardingHost {
 public:
  /// Borrows the host.
  DyingHost(Host& host, std::size_t changes) : ForwardingHost(host), host_(host), left_(changes) {}

  Result<Output> run(const Command& command) override {
    if (command.argv[0] == "mv" && is_dead()) return dead();
    return host_.run(command);
  }
  Result<std::unique_ptr<NewFile>> create_file(const Path& path) override {
    if (is_dead()) return dead();
    return host_.create_file(path);
  }
  Result<void> put_file(const Path& path, const Content& content, const Rights& rights) override {
    if (is_dead()) return dead();
    return host_.put_file(path, content, rights);
  }
  Result<void> remove_file(const Path& path) override {
    if (is_dead()) return dead();
    return host_.remove_file(path);
  }
  bool died() const { return died_; }

 private:
  bool is_dead() {
    died_ = died_ || left_ == 0;
    if (left_ != 0) --left_;
    return died_;
  }
  static tl::unexpected<Error> dead() { return fail(Fault::cancelled, "the power was cut"); }

  Host& host_;
  std::size_t left_;
  bool died_ = false;
};

/// Whose disk does not give back what was written to this file.
class BadDisk final : public ForwardingHost {
 public:
  /// Borrows the host.
  BadDisk(Host& host, Path bad) : ForwardingHost(host), host_(host), bad_(std::move(bad)) {}

  Result<void> read_through(const Path& path, const Range& range, Sink& sink) override {
    if (path == bad_) return fail(Fault::damaged, "Input/output error");
    return host_.read_through(path, range, sink);
  }
  using Host::read_through;

 private:
  Host& host_;
  Path bad_;
};

constexpr const char* folder_of_archive = "/mnt/usb";

std::string digest_in_archive(const Stored& stored, const std::string& path) {
  for (const auto& entry : entries_of(stored.manifest->reader()))
    if (entry.path == path) return entry.digest;
  return "not there";
}

std::string digest_of(std::string_view text) { return hex(crypto::Blake2b::of(bytes_of(text))); }

}  // namespace

TEST_CASE("preserve: what differs from the archive is archived anew", "[agent][archive]") {
  Machine machine;
  REQUIRE(machine.work().outcome == schema::Outcome::SUCCEEDED);
  auto& host = machine.host;
  std::string why = "1 of 5 entries differs, first ";
  SECTION("content") {
    host.file("/etc/app/app.conf", "colour = green\n");
    why += "/etc/app/app.conf: content";
  }
  SECTION("mode and owner") {
    host.file("/etc/network/interfaces", "auto vmbr0\n", {.mode = 0600, .uid = 4});
    why += "/etc/network/interfaces: owner, mode";
  }
  SECTION("a time") {
    host.file("/etc/app/app.conf", "colour = blue\n",
              {.mode = 0644, .modified = Instant(std::chrono::seconds(77))});
    why += "/etc/app/app.conf: time";
  }
  SECTION("something new") {
    host.file("/etc/app/more.conf", "x");
    why += "/etc/app/more.conf: is new";
  }
  SECTION("something gone") {
    host.remove("/etc/app/app.conf");
    why += "/etc/app/app.conf: is gone";
  }
  SECTION("a database that was written to") {
    host.file("/etc/app/app.db", std::string("SQLite format 3\0and more", 24),
              {.mode = 0644, .modified = Instant(std::chrono::seconds(77))});
    why += "/etc/app/app.db: was written to";
  }
  SECTION("the log of a database") {
    host.file("/etc/app/app.db-wal", "pages");
    why += "/etc/app/app.db: was written to";
  }

  const auto work = machine.work();

  INFO(work.failure.sentence());
  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(work.changes ==
        std::vector<std::string>{"~ archive anew: " + why + ", in " + archive_path});
  CHECK(must(host.list(folder_of_archive)) ==
        std::vector<std::string>{"config.head.dsse", "config.manifest", "config.manifest.dsse",
                                 "config.tar.zst"});
  CHECK(must(read_stored(host, {.folder = folder_of_archive, .name = "config"})).conflict.empty());
  const auto again = machine.work();
  CHECK(again.outcome == schema::Outcome::SUCCEEDED);
  CHECK(again.changes.empty());
  CHECK(again.facts->reader().getPreserve().getCompared());
}

TEST_CASE("preserve: what a reader leaves beside a database is no difference", "[agent][archive]") {
  Machine machine;
  REQUIRE(machine.work().outcome == schema::Outcome::SUCCEEDED);
  machine.host.file("/etc/app/app.db-wal", "");
  machine.host.file("/etc/app/app.db-shm", "index");

  CHECK(machine.work().changes.empty());
}

TEST_CASE("preserve: an archive of files that changed meanwhile is made anew", "[agent][archive]") {
  Machine machine;
  machine.tar.status = 1;
  machine.tar.words = "tar: ./etc/app/app.conf: file changed as we read it\n";
  REQUIRE(machine.work().outcome == schema::Outcome::SUCCEEDED);
  machine.tar.status = 0;
  machine.tar.words = "";

  const auto work = machine.work();

  CHECK(work.changes == std::vector<std::string>{
                            "~ archive anew: /etc/app/app.conf changed while it was read, in " +
                            std::string(archive_path)});
  CHECK(work.facts->reader().getPreserve().getChanged().size() == 0);
  CHECK(machine.work().changes.empty());
}

TEST_CASE("preserve: what is written to all the time is archived, and the task is done",
          "[agent][archive]") {
  Machine machine;
  int count = 0;
  machine.tar.status = 1;
  machine.tar.words = "tar: ./etc/app/app.conf: file changed as we read it\n";
  machine.tar.meanwhile = [&] {
    machine.host.file("/etc/app/app.conf", fmt::format("written {} times\n", ++count));
  };

  const auto first = machine.work();
  const auto second = machine.work();

  INFO(first.failure.sentence() << second.failure.sentence());
  CHECK(first.outcome == schema::Outcome::SUCCEEDED);
  CHECK(second.outcome == schema::Outcome::SUCCEEDED);
  REQUIRE(second.changes.size() == 1);
  CHECK_THAT(second.changes[0], Catch::StartsWith("~ archive anew: 1 of 5 entries differs"));
}

TEST_CASE("preserve: an archive of a path that is gone stays as it is", "[agent][archive]") {
  Machine machine;
  REQUIRE(machine.work().outcome == schema::Outcome::SUCCEEDED);
  machine.host.remove("/etc/network/interfaces");
  machine.host.remove("/etc/network");

  const auto work = machine.work();

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(work.changes.empty());
  CHECK(work.facts->reader().getPreserve().getMissing().size() == 1);
  CHECK_FALSE(work.facts->reader().getPreserve().getCompared());
}

TEST_CASE("preserve: at every moment the older archive or the newer one is there whole",
          "[agent][archive]") {
  const ArchiveName name{.folder = folder_of_archive, .name = "config"};
  bool died = true;
  std::size_t moments = 0;
  for (; died; ++moments) {
    INFO("after " << moments << " changes");
    Machine machine;
    REQUIRE(machine.work().outcome == schema::Outcome::SUCCEEDED);
    machine.host.file("/etc/app/app.conf", "colour = green\n");
    DyingHost dying(machine.host, moments);

    const auto work = work_on(dying, machine.task());

    died = dying.died();
    CHECK((work.outcome == schema::Outcome::SUCCEEDED) != died);
    const auto stored = must(read_stored(machine.host, name));
    CHECK(stored.there);
    CHECK(stored.conflict.empty());
    REQUIRE(stored.manifest);
    const auto digest = digest_in_archive(stored, "/etc/app/app.conf");
    CHECK((digest == digest_of("colour = blue\n") || digest == digest_of("colour = green\n")));

    const auto next = machine.work();
    INFO(next.failure.sentence());
    CHECK(next.outcome == schema::Outcome::SUCCEEDED);
    CHECK(machine.work().changes.empty());
    CHECK(must(machine.host.list(folder_of_archive)).size() == 4);
    CHECK(digest_in_archive(must(read_stored(machine.host, name)), "/etc/app/app.conf") ==
          digest_of("colour = green\n"));
  }
  // Four files, the rename, three that get their names, three that are gone then.
  CHECK(moments == 12);
}

TEST_CASE("preserve: a newer archive that was not written as it was read leaves the older one",
          "[agent][archive]") {
  Machine machine;
  REQUIRE(machine.work().outcome == schema::Outcome::SUCCEEDED);
  const auto bytes = must(machine.host.read_file(archive_path));
  machine.host.file("/etc/app/app.conf", "colour = green\n");
  BadDisk bad(machine.host, "/mnt/usb/config+new.tar.zst");

  const auto work = work_on(bad, machine.task());

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK_THAT(work.failure.what, Catch::Contains("/mnt/usb/config+new.tar.zst was written, and is "
                                                "not whole: it cannot be read"));
  CHECK(must(machine.host.read_file(archive_path)) == bytes);
}

namespace {

/// Real files of all kinds, a database that is being written to, and real tar.
struct Folder {
  Folder() {
    std::filesystem::create_directories(root / "etc/sub");
    write("etc/plain", "text\n", 0640);
    write("etc/sub/other", "more\n", 0755);
    std::filesystem::create_symlink("../plain", root / "etc/sub/link");
    std::filesystem::create_hard_link(root / "etc/plain", root / "etc/twin");
    must_do(::mkfifo((root / "etc/pipe").c_str(), 0600));
    must_do(::truncate((root / "etc/sub/other").c_str(), 3'000'000));
    std::ofstream(root / "etc/sub/other", std::ios::in | std::ios::ate) << "behind a hole";
    has_attributes = ::setxattr((root / "etc/plain").c_str(), "user.relab", "kept", 4, 0) == 0;
    must_do(::chown((root / "etc/sub/other").c_str(), 1234, 4321));
    must_do(sqlite3_open((root / "etc/app.db").c_str(), &database));
    must_do(sqlite3_exec(database,
                         "PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES(42)",
                         nullptr, nullptr, nullptr));
    std::filesystem::create_directories(root / "usb");
    std::filesystem::create_directories(root / "back");
  }
  ~Folder() { sqlite3_close(database); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  static void must_do(int code) { REQUIRE(code == 0); }
  void write(const std::string& name, const std::string& content, mode_t mode) const {
    std::ofstream(root / name) << content;
    must_do(::chmod((root / name).c_str(), mode));
  }
  ArchiveWish wish() const {
    return {.source = {.paths = {(root / "etc").string()}},
            .name = {.folder = root / "usb", .name = "all"}};
  }
  Stored archive() {
    must(write_archive_here({.host = host, .rescue = host}, wish()));
    return must(read_stored(host, wish().name));
  }
  Work restore(const std::string& more = "") {
    return work_on(host, fmt::format(R"({{"restore": {{"folder": "{}/usb", "name": "all",
      "into": "{}/back"{}}}}})",
                                     root.string(), root.string(), more));
  }
  std::filesystem::path back(const std::string& name) const {
    return std::filesystem::path(root.string() + "/back" + root.string()) / name;
  }

  Scratch scratch;
  Path root = scratch.path();
  sqlite3* database = nullptr;
  bool has_attributes = false;
  crypto::Keys keys = must(crypto::Keys::from(Bytes(crypto::Keys::secret_size, 9)));
  RealHost host = RealHost({}, std::string(pinned_path), {.keys = &keys});
};

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct stat status_of(const std::filesystem::path& path) {
  struct stat info {};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info;
}

std::string first_value(const std::filesystem::path& path) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
  sqlite3_stmt* query = nullptr;
  REQUIRE(sqlite3_prepare_v2(database, "SELECT x FROM t", -1, &query, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_step(query) == SQLITE_ROW);
  std::string value = reinterpret_cast<const char*>(sqlite3_column_text(query, 0));
  sqlite3_finalize(query);
  sqlite3_close(database);
  return value;
}

}  // namespace

TEST_CASE("preserve: real files of every kind come back as they were", "[agent][archive]") {
  Folder folder;

  const auto stored = folder.archive();

  CHECK(stored.conflict.empty());
  REQUIRE(stored.manifest);
  CHECK(stored.manifest->reader().getDatabases().size() == 1);
  CHECK_FALSE(std::filesystem::exists(folder.root / "usb/relab-databases.part"));

  const auto work = folder.restore();

  INFO(work.failure.sentence());
  REQUIRE(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(content_of(folder.back("etc/plain")) == "text\n");
  CHECK((status_of(folder.back("etc/plain")).st_mode & 07777U) == 0640);
  CHECK(status_of(folder.back("etc/twin")).st_ino == status_of(folder.back("etc/plain")).st_ino);
  CHECK(std::filesystem::read_symlink(folder.back("etc/sub/link")) == "../plain");
  CHECK(S_ISFIFO(status_of(folder.back("etc/pipe")).st_mode));
  const auto other = status_of(folder.back("etc/sub/other"));
  CHECK(other.st_uid == 1234);
  CHECK(other.st_gid == 4321);
  CHECK(other.st_size == 3'000'013);
  CHECK(content_of(folder.back("etc/sub/other")) == content_of(folder.root / "etc/sub/other"));
  char value[8] = {};
  if (folder.has_attributes)
    CHECK(::getxattr(folder.back("etc/plain").c_str(), "user.relab", value, sizeof value) == 4);
  // What was committed stood in the log beside it, which is not taken along.
  CHECK_FALSE(std::filesystem::exists(folder.back("etc/app.db-wal")));
  CHECK(first_value(folder.back("etc/app.db")) == "42");

  const auto again = folder.restore();
  CHECK(again.outcome == schema::Outcome::SUCCEEDED);
  CHECK(again.changes.empty());
}

TEST_CASE("preserve: real files are compared with their archive, which is replaced at once",
          "[agent][archive]") {
  Folder folder;
  const auto first = folder.archive();
  const auto drift = [&](const Stored& stored) {
    return must(drift_of(folder.host, folder.wish().source, stored.manifest->reader()));
  };
  CHECK(drift(first).empty());
  const auto in_folder = [&](const std::string& path) { return (folder.root / path).string(); };
  std::ofstream(folder.root / "etc/plain") << "TEXT\n";
  Folder::must_do(sqlite3_exec(folder.database, "UPDATE t SET x = 43", nullptr, nullptr, nullptr));
  const auto differing = drift(first);
  REQUIRE(differing.size() == 2);
  CHECK_THAT(differing[0], Catch::StartsWith(in_folder("etc/plain") + ": content"));
  CHECK(differing[1] == in_folder("etc/app.db") + ": was written to");

  must(replace_archive_here({.host = folder.host, .rescue = folder.host}, folder.wish()));

  const auto second = must(read_stored(folder.host, folder.wish().name));
  CHECK(second.conflict.empty());
  CHECK(second.leftovers.empty());
  CHECK(second.digest != first.digest);
  CHECK(view(second.manifest->reader().getArchive()) == "all.tar.zst");
  CHECK(drift(second).empty());
  REQUIRE(folder.restore().outcome == schema::Outcome::SUCCEEDED);
  CHECK(content_of(folder.back("etc/plain")) == "TEXT\n");
  CHECK(first_value(folder.back("etc/app.db")) == "43");
}

TEST_CASE("restore: what differs is told, and replaced only if asked", "[agent][archive]") {
  Folder folder;
  folder.archive();
  REQUIRE(folder.restore().outcome == schema::Outcome::SUCCEEDED);
  std::string what;
  SECTION("content") {
    std::ofstream(folder.back("etc/plain")) << "TEXT\n";
    what = "etc/plain: content";
  }
  SECTION("mode") {
    ::chmod(folder.back("etc/sub/other").c_str(), 0700);
    what = "etc/sub/other: mode";
  }
  SECTION("owner") {
    REQUIRE(::chown(folder.back("etc/sub/other").c_str(), 7, 7) == 0);
    what = "etc/sub/other: owner";
  }
  SECTION("kind") {
    std::filesystem::remove(folder.back("etc/sub/link"));
    std::ofstream(folder.back("etc/sub/link")) << "no link";
    what = "etc/sub/link: a file instead of a link";
  }

  const auto refused = folder.restore();
  INFO(refused.failure.sentence());
  CHECK(refused.outcome == schema::Outcome::REFUSED);
  CHECK(refused.failure.sentence().find(what) != std::string::npos);

  const auto replaced = folder.restore(R"(, "replace": true)");
  INFO(replaced.failure.sentence());
  CHECK(replaced.outcome == schema::Outcome::SUCCEEDED);
  CHECK(folder.restore().changes.empty());
}

TEST_CASE("restore: an older log beside a database is not played back over it",
          "[agent][archive]") {
  Folder folder;
  folder.archive();
  REQUIRE(folder.restore().outcome == schema::Outcome::SUCCEEDED);
  const auto database = folder.back("etc/app.db");
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(database.c_str(), &other) == SQLITE_OK);
  Folder::must_do(sqlite3_exec(other, "PRAGMA journal_mode=WAL; UPDATE t SET x = 7", nullptr,
                               nullptr, nullptr));
  std::filesystem::copy_file(database.string() + "-wal", folder.root / "kept-wal");
  sqlite3_close(other);
  std::filesystem::copy_file(folder.root / "kept-wal", database.string() + "-wal");
  SECTION("of one that is there") { std::ofstream(database, std::ios::app) << "more"; }
  SECTION("of one that is gone") { std::filesystem::remove(database); }

  const auto refused = folder.restore();
  CHECK(refused.outcome == schema::Outcome::REFUSED);

  const auto work = folder.restore(R"(, "replace": true)");
  INFO(work.failure.sentence());
  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  REQUIRE(work.changes.size() == 2);
  CHECK(work.changes[0] ==
        "- " + database.string() + "-wal, which SQLite would play back over the restored database");
  CHECK_FALSE(std::filesystem::exists(database.string() + "-wal"));
  CHECK(first_value(database) == "42");
}

TEST_CASE("restore: it is told whose key signed what is restored", "[agent][archive]") {
  Folder folder;
  const auto key = folder.archive().signed_by;

  const auto work = folder.restore();

  CHECK(key == hex(folder.keys.sign_key()));
  REQUIRE(work.changes.size() == 1);
  CHECK_THAT(work.changes[0], Catch::EndsWith("signed by the agent with the key " + key));
  CHECK(view(work.facts->reader().getRestore().getSignedBy()) == key);
}

TEST_CASE("restore: nothing is restored of what nobody signed", "[agent][archive]") {
  Folder folder;
  folder.archive();
  std::filesystem::remove(folder.root / "usb/all.manifest.dsse");

  const auto refused = folder.restore();

  CHECK(refused.outcome == schema::Outcome::REFUSED);
  CHECK_THAT(refused.failure.what, Catch::Contains("nobody has signed"));
  CHECK_FALSE(std::filesystem::exists(folder.back("etc")));
}

TEST_CASE("restore: only what is asked for, and only from a whole archive", "[agent][archive]") {
  Folder folder;
  folder.archive();

  const auto path = (folder.root / "etc/sub").string();
  const auto part = folder.restore(fmt::format(R"(, "paths": ["{}"])", path));
  INFO(part.failure.sentence());
  CHECK(part.outcome == schema::Outcome::SUCCEEDED);
  CHECK(std::filesystem::exists(folder.back("etc/sub/other")));
  CHECK_FALSE(std::filesystem::exists(folder.back("etc/plain")));

  CHECK(folder.restore(R"(, "paths": ["/nowhere"])").failure.sentence().find("has no /nowhere") !=
        std::string::npos);

  const auto file = folder.root / "usb/all.tar.zst";
  auto bytes = content_of(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  std::ofstream(file) << bytes;
  const auto refused = folder.restore();
  CHECK(refused.outcome == schema::Outcome::REFUSED);
  CHECK(refused.failure.sentence().find("its bytes are not what was written") != std::string::npos);
}

TEST_CASE("restore: nothing is written into Proxmox's own file system", "[agent][archive]") {
  Machine machine;
  machine.host.file("/etc/pve/lxc/110.conf", "arch: amd64\n");
  const std::string archive =
      R"({"preserve": {"paths": ["/etc/pve"], "folder": "/mnt/usb", "name": "pve"}})";
  REQUIRE(work_on(machine.host, archive).outcome == schema::Outcome::SUCCEEDED);
  machine.host.remove("/etc/pve/lxc/110.conf");

  const auto refused =
      work_on(machine.host, R"({"restore": {"folder": "/mnt/usb", "name": "pve"}})");

  CHECK(refused.outcome == schema::Outcome::REFUSED);
  CHECK(refused.failure.what == "/etc/pve belongs to Proxmox, which keeps it in a database");
}

TEST_CASE("restore: it is told into which datasets it goes", "[agent][archive]") {
  Machine machine;
  auto& host = machine.host;
  REQUIRE(machine.work().outcome == schema::Outcome::SUCCEEDED);
  host.directory("/tank/back");
  host.file("/proc/self/mountinfo", must(host.read_file("/proc/self/mountinfo")) +
                                        "60 22 0:61 / /tank rw - zfs tank rw\n"
                                        "61 60 0:62 / /tank/back/etc/app rw - zfs tank/app rw\n");

  const auto work = work_on(
      host, R"({"restore": {"folder": "/mnt/usb", "name": "config", "into": "/tank/back"}})");

  INFO(work.failure.sentence());
  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  const auto datasets = work.facts->reader().getRestore().getDatasets();
  REQUIRE(datasets.size() == 2);
  CHECK(view(datasets[0]) == "tank");
  CHECK(view(datasets[1]) == "tank/app");
}

TEST_CASE("restore: the database of Proxmox stays in the archive, and nothing waits for it",
          "[agent][archive]") {
  Machine machine;
  auto& host = machine.host;
  const std::string database = "/var/lib/pve-cluster/config.db";
  const std::string content("SQLite format 3\0of the cluster", 30);
  host.file("/etc/pve/lxc/110.conf", "arch: amd64\n");
  host.file(database, content);
  host.directory("/back");
  REQUIRE(work_on(host, R"({"preserve": {"paths": ["/etc/pve", "/etc/network"],
                            "folder": "/mnt/usb", "name": "pve"}})")
              .outcome == schema::Outcome::SUCCEEDED);
  host.remove("/etc/network/interfaces");
  host.file(database, "what pmxcfs writes to");
  const std::string in_place = R"({"restore": {"folder": "/mnt/usb", "name": "pve"}})";

  const auto work = work_on(host, in_place);

  INFO(work.failure.sentence());
  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  REQUIRE(work.changes.size() == 1);
  CHECK_THAT(work.changes[0], Catch::Contains(database + " stays in the archive"));
  REQUIRE(work.facts->reader().getRestore().getApart().size() == 1);
  CHECK(view(work.facts->reader().getRestore().getApart()[0]) == database);
  CHECK(must(host.read_file("/etc/network/interfaces")) == "auto vmbr0\n");
  CHECK(must(host.read_file(database)) == "what pmxcfs writes to");
  CHECK(work_on(host, in_place).changes.empty());

  const std::string elsewhere =
      R"({"restore": {"folder": "/mnt/usb", "name": "pve", "into": "/back"}})";
  CHECK(work_on(host, elsewhere).outcome == schema::Outcome::SUCCEEDED);
  CHECK(must(host.read_file("/back" + database)) == content);
  CHECK(work_on(host, elsewhere).changes.empty());

  const auto* const path = GENERATE("/var/lib/pve-cluster/config.db", "/var/lib/pve-cluster");
  const auto refused = work_on(host, fmt::format(R"({{"restore": {{"folder": "/mnt/usb",
      "name": "pve", "replace": true, "paths": ["{}"]}}}})",
                                                 path));
  CHECK(refused.outcome == schema::Outcome::REFUSED);
  CHECK_THAT(refused.failure.what, Catch::Contains("is never restored into /"));
  CHECK(must(host.read_file(database)) == "what pmxcfs writes to");
}

TEST_CASE("preserve: the wish of a change is the wish that was planned", "[agent][archive]") {
  const ArchiveWish wish{.source = {.vmid = 110, .paths = {"/a", "/b"}, .exclude = {"/b/c"}},
                         .name = {.folder = "/mnt/usb", .name = "n"},
                         .stop = {"a.service"},
                         .disk_serial = "USB1"};

  const auto same = wish_of(words_of(wish));

  CHECK(words_of(same) == words_of(wish));
  CHECK(same.source.exclude == wish.source.exclude);
  CHECK(same.stop == wish.stop);
}

TEST_CASE("preserve: a stream that is no archive is none", "[agent][archive]") {
  for (const auto* text : {"no archive at all", "\0\0\0"}) {
    ContentsReader reader;
    const auto taken = reader.take(bytes_of(std::string_view(text, 3)));
    CHECK_FALSE((taken && reader.finish()));
  }
}

}  // namespace relab::agent::archive
