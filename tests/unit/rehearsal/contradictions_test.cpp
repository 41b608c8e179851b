// What lab.toml and a machine say differently, and what collides or does not fit.

#include "controller/rehearsal/contradictions.h"

#include "tests/support/rehearsed.h"

namespace relab::rehearsal {

namespace {

using Json = nlohmann::json;

std::string told_of(const std::function<void(Json& world)>& edit,
                    const Rehearsed::Edit& edit_lab = {}) {
  const auto lab = Rehearsed::read(edit_lab);
  auto world = Json::parse(
      world_of_lab(lab.reader(), lab.reader().getHosts()[0], rehearsal_begin).to_json());
  edit(world);
  std::vector<Message<schema::World>> worlds;
  worlds.push_back(must(Message<schema::World>::from_json(world.dump())));
  std::string text;
  for (const auto& trouble : contradictions(lab.reader(), worlds)) {
    CHECK(trouble.kind == Trouble::Kind::clashes);
    text += trouble.where + ": " + trouble.what + "\n";
  }
  return text;
}

/// With a guest that the plan is to make.
Rehearsed::Edit planned(const std::string& lines) {
  return [=](std::string& text) {
    text +=
        "\n[[guests]]\nname = \"newbie\"\nvmid = 120\ntype = \"lxc\"\ntemplate = "
        "\"debian-12-standard\"\nvlan = \"lan\"\nplanned = true\n" +
        lines;
  };
}

Json& guest_network(Json& world, unsigned vmid) {
  for (auto& row : world["guests"]["networks"])
    if (row["vmid"] == vmid) return row;
  FAIL("no network of " << vmid);
  std::abort();
}

}  // namespace

TEST_CASE("contradictions: the reference machine has none", "[rehearsal]") {
  CHECK(told_of([](Json&) {}).empty());
  CHECK(told_of([](Json&) {}, planned("ip = \"10.42.20.77\"\ncores = 1\nmemory = \"1GiB\"\ndisk = "
                                      "\"8GiB\"\n"))
            .empty());
}

TEST_CASE("contradictions: what fits one by one may not fit together", "[rehearsal]") {
  CHECK_THAT(
      told_of([](Json& world) { world["packages"]["hardware"]["memory"] = "8589934592"; },
              planned("ip = \"10.42.20.77\"\ncores = 1\nmemory = \"1GiB\"\ndisk = \"8GiB\"\n")),
      Catch::Contains("guests of z640: they are given ") &&
          Catch::Contains("of memory together, and the machine has 8.0 GiB"));
  CHECK_THAT(told_of(
                 [](Json& world) {
                   for (auto& pool : world["zfs"]["pools"])
                     if (pool["name"] == "rpool") pool["free"] = "1073741824";
                 },
                 planned("ip = \"10.42.20.77\"\ncores = 1\nmemory = \"1GiB\"\ndisk = \"8GiB\"\n")),
             Catch::Contains("what others grow by, have 16.0 GiB together, and rpool has"));
}

TEST_CASE("contradictions: sizes are compared, and what grows needs room, too", "[rehearsal]") {
  const auto says = [](std::string_view was, std::string_view is) {
    return [=](std::string& text) {
      const auto at = text.find(was);
      REQUIRE(at != std::string::npos);
      text.replace(at, was.size(), is);
    };
  };
  CHECK_THAT(told_of([](Json& world) {
               for (auto& disk : world["disks"]["disks"])
                 if (disk["serial"] == "ZDH1A001") disk["size"] = "3000000000000";
             }),
             Catch::Contains("disk data1: lab.toml says 1.8 TiB, and ZDH1A001 has 2.7 TiB"));
  CHECK_THAT(told_of(
                 [](Json& world) {
                   for (auto& disk : world["guests"]["disks"])
                     if (disk["vmid"] == 112) disk["size"] = "8589934592";
                 },
                 says("disk = \"120GiB\"", "disk = \"2TiB\"")),
             Catch::Contains("what others grow by, have 2.0 TiB together, and rpool has"));
  CHECK_THAT(
      told_of([](Json&) {}, says("name = \"arr\"\n", "name = \"arr\"\nstorage = \"nowhere\"\n")),
      Catch::Contains("guest arr: z640 has no storage 'nowhere'"));
}

TEST_CASE("contradictions: each is told", "[rehearsal]") {
  const auto small = "cores = 1\nmemory = \"1GiB\"\ndisk = \"8GiB\"\n";
  SECTION("another guest has the address") {
    const auto told =
        told_of([](Json& world) { guest_network(world, 111)["ip"] = "10.42.20.77/24"; },
                planned("ip = \"10.42.20.77\"\n" + std::string(small)));
    CHECK_THAT(told, Catch::Contains("guest newbie: its address 10.42.20.77 is that of guest 111"));
    CHECK_THAT(told, Catch::Contains("guest arr: it has the address 10.42.20.77"));
  }
  SECTION("a dataset that a guest gets is not there") {
    CHECK_THAT(told_of([](Json& world) {
                 for (auto& row : world["zfs"]["datasets"])
                   if (row["mountpoint"] == "/datapool/media") row["mountpoint"] = "/mnt/media";
               }),
               Catch::Contains("guest jellyfin: it gets /datapool/media, and z640 has no dataset"));
  }
  SECTION("a disk of the pool is one that is to be installed on") {
    CHECK_THAT(told_of([](Json& world) {
                 for (auto& row : world["zfs"]["vdevs"])
                   if (row.value("serial", "") == "ZDH1A001") row["serial"] = "S2RANX0H500001A";
               }),
               Catch::Contains("pool datapool: ") &&
                   Catch::Contains("is os1 (S2RANX0H500001A), which has the role os"));
  }
  SECTION("the memory") {
    CHECK_THAT(told_of([](Json&) {}, planned("ip = \"10.42.20.77\"\ncores = 1\nmemory = "
                                             "\"1TiB\"\ndisk = \"8GiB\"\n")),
               Catch::Contains("1.0 TiB of memory are more than the 64.0 GiB"));
  }
  SECTION("the disk") {
    CHECK_THAT(told_of([](Json&) {}, planned("ip = \"10.42.20.77\"\ncores = 1\nmemory = "
                                             "\"1GiB\"\ndisk = \"10TiB\"\n")),
               Catch::Contains("a disk of 10.0 TiB does not fit on rpool"));
  }
  SECTION("the pool") {
    CHECK_THAT(told_of([](Json& world) {
                 for (auto& row : world["zfs"]["vdevs"])
                   if (row["kind"] == "raidz2") row["kind"] = "raidz1";
               }),
               Catch::Contains("pool datapool: lab.toml says raidz2, and it is raidz1"));
  }
  SECTION("a disk that fails") {
    CHECK_THAT(told_of([](Json& world) {
                 for (auto& row : world["disks"]["smart"])
                   if (row["serial"] == "ZDH1A003") row["health"] = "failed";
               }),
               Catch::Contains("SMART says that ZDH1A003 is failing"));
  }
  SECTION("the address of the agent") {
    CHECK_THAT(told_of([](Json& world) {
                 for (auto& row : world["network"]["addresses"])
                   if (row["address"] == "10.42.10.2") row["address"] = "192.168.1.5";
               }),
               Catch::Contains("z640: its agent is asked at tcp://10.42.10.2:7460"));
  }
  SECTION("a disk that nobody has") {
    CHECK_THAT(
        told_of([](Json& world) {
          for (auto& row : world["disks"]["disks"])
            if (row["serial"] == "NAAB0001") row["serial"] = "NAAB0009";
        }),
        Catch::Contains("0b/0b/disk: no machine has a disk with the serial number NAAB0001"));
  }
}

}  // namespace relab::rehearsal
