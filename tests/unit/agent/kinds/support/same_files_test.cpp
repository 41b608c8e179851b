#include "agent/kinds/support/same_files.h"

#include <fstream>

#include "agent/host/real_host.h"
#include "agent/host/sim/sim_host.h"
#include "tests/support/must.h"
#include "tests/support/scratch.h"

namespace relab::agent {

namespace {

void add_tree(SimHost& host, const Path& root) {
  host.file(root / "etc/app.conf", "port = 1\n");
  host.file(root / "etc/app.json", "{}");
  host.file(root / "films/one.mkv", "frames");
  host.file(root / "films/two.mkv", "frames and frames");
  host.link(root / "films/best", "one.mkv");
  host.directory(root / "empty");
}

struct Trees {
  Trees() {
    add_tree(host, "/was");
    add_tree(host, "/is");
    host.file("/was/.zfs/shares", "");
  }
  Result<SameFiles> compare(std::size_t sample = 10) {
    return compare_files(host, "/was", "/is", sample, 4711);
  }

  SimHost host;
};

}  // namespace

TEST_CASE("same files: of the same trees, all that was compared is told", "[agent][kinds]") {
  Trees trees;

  const auto same = must(trees.compare());

  CHECK(same.entries == 8);
  CHECK(same.config_files == 2);
  CHECK(same.sampled == 2);
  CHECK(same.bytes == 9 + 2 + 6 + 17);
  CHECK(must(trees.compare(1)).sampled == 1);
}

TEST_CASE("same files: any difference is found, and where", "[agent][kinds]") {
  Trees trees;
  std::string where;
  SECTION("bytes of configuration") {
    trees.host.file("/is/etc/app.conf", "port = 2\n");
    where = "etc/app.conf (its bytes)";
  }
  SECTION("bytes of what is drawn") {
    trees.host.file("/is/films/one.mkv", "fRames");
    where = "films/one.mkv (its bytes)";
  }
  SECTION("size") {
    trees.host.file("/is/films/one.mkv", "frames!");
    where = "films/one.mkv (size or time)";
  }
  SECTION("mode") {
    trees.host.file("/is/etc/app.conf", "port = 1\n", {.mode = 0600});
    where = "etc/app.conf (kind, owner or mode)";
  }
  SECTION("owner") {
    trees.host.file("/is/films/one.mkv", "frames", {.uid = 1000});
    where = "films/one.mkv (kind, owner or mode)";
  }
  SECTION("missing") {
    trees.host.remove("/is/films/two.mkv");
    where = "films/two.mkv (it is missing)";
  }
  SECTION("more than there was") {
    trees.host.file("/is/films/three.mkv", "");
    where = "films/three.mkv (it was not there)";
  }
  SECTION("a link to elsewhere") {
    trees.host.link("/is/films/best", "two.mkv");
    where = "films/best (what it leads to)";
  }
  SECTION("a file for a folder") {
    trees.host.remove("/is/empty");
    trees.host.file("/is/empty", "");
    where = "empty (kind, owner or mode)";
  }

  const auto different = trees.compare();

  REQUIRE_FALSE(different);
  CHECK(different.error().fault == Fault::damaged);
  CHECK_THAT(different.error().what, Catch::Contains(where));
}

TEST_CASE("same files: what cannot be read is not the same", "[agent][kinds]") {
  Trees trees;
  trees.host.broken(GENERATE("/is/films/one.mkv", "/was/etc/app.conf", "/is/films"),
                    {.fault = Fault::damaged, .what = "I/O error"});

  CHECK(trees.compare().error().fault == Fault::damaged);
}

TEST_CASE("same files: of a large file the ends and places in between are compared",
          "[agent][kinds]") {
  const Scratch scratch;
  const auto size = compared_whole_max + 4097;
  for (const auto* name : {"was", "is"}) {
    std::filesystem::create_directories(scratch.path() / name);
    std::ofstream(scratch.path() / name / "large.bin").put('x');
    std::filesystem::resize_file(scratch.path() / name / "large.bin", size);
    std::filesystem::last_write_time(scratch.path() / name / "large.bin", {});
  }
  RealHost host;
  const auto compare = [&] {
    return compare_files(host, scratch.path() / "was", scratch.path() / "is", 10, 4711);
  };
  const auto change = [&](std::uint64_t at) {
    std::fstream file(scratch.path() / "is/large.bin", std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(at));
    file.put('!');
    file.close();
    std::filesystem::last_write_time(scratch.path() / "is/large.bin", {});
  };
  SECTION("the same") {
    const auto same = must(compare());
    CHECK(same.sampled == 1);
    CHECK(same.bytes == (compared_pieces - 1) * compared_piece + 4097);
  }
  SECTION("another end") {
    change(GENERATE_REF(std::uint64_t{0}, size - 1));
    CHECK_THAT(compare().error().what, Catch::Contains("large.bin (its bytes)"));
  }
}

}  // namespace relab::agent
