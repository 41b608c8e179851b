#include "agent/kinds/zfs/tables.h"

#include <random>

#include "tests/support/must.h"
#include "tests/support/transcript.h"

namespace relab::agent::zfs {

TEST_CASE("zpool get: both versions' properties are read", "[agent][zfs]") {
  const auto* version = GENERATE("2.1.11", "2.3.9");
  const auto text = transcript(std::string("zfs/") + version + "/zpool-get-Hp-all.txt").out;

  const auto pools = must(parse_pool_properties(text));

  const auto& pool = pools.at("datapool");
  CHECK(must(number_of(pool, "size")) == 2013265920);
  CHECK(must(number_of(pool, "ashift")) == 12);
  CHECK(must(number_of(pool, "checkpoint")) == 0);
  CHECK(value_of(pool, "altroot").empty());
  CHECK(value_of(pool, "feature@encryption") == "active");
}

TEST_CASE("zfs tables: a line that is cut off or has other columns is an error", "[agent][zfs]") {
  CHECK_FALSE(parse_pool_properties("tank\tsize\t5\n"));
  CHECK_FALSE(parse_pool_properties("tank\tsize\t5\t-\ntank\tguid\t12\t-"));
  CHECK_FALSE(parse_datasets("tank\tfilesystem\n"));
  CHECK_FALSE(parse_snapshots("tank\t5\t0\n"));
  CHECK_FALSE(parse_snapshots("tank@a\tyesterday\t0\n"));
  CHECK(must(parse_snapshots("")).empty());
}

TEST_CASE("zfs tables: a number that is none is an error, and '-' is 0", "[agent][zfs]") {
  const Properties properties = {{"a", "12"}, {"b", "-"}, {"c", "none"}, {"d", "1.2K"}};

  CHECK(must(number_of(properties, "a")) == 12);
  CHECK(must(number_of(properties, "b")) == 0);
  CHECK(must(number_of(properties, "c")) == 0);
  CHECK_FALSE(number_of(properties, "d"));
  CHECK_FALSE(number_of(properties, "e"));
}

TEST_CASE("zfs list: snapshots are gathered by dataset, with the oldest, newest and held",
          "[agent][zfs]") {
  const auto datasets = must(parse_snapshots(
      "tank/a@two\t200\t0\ntank/a@one\t100\t2\ntank/a@three\t200\t-\ntank@x\t5\t0\n"));

  const auto& snapshots = datasets.at("tank/a");
  CHECK(snapshots.count == 3);
  CHECK(snapshots.held == 1);
  CHECK(snapshots.oldest == "one");
  CHECK(snapshots.newest == "three");
  CHECK(snapshots.newest_at == 200);
  CHECK(datasets.at("tank").count == 1);
}

TEST_CASE("zfs version: JSON is there from 2.3 on", "[agent][zfs]") {
  CHECK_FALSE(parse_versions(transcript("zfs/2.1.11/zfs-version.txt").out).has_json());
  CHECK(parse_versions(transcript("zfs/2.3.9/zfs-version.txt").out).has_json());
  CHECK(parse_versions("zfs-2.3.9-0+deb13u1\nzfs-kmod-2.3.8-1\n").module == "2.3.8-1");
  CHECK(parse_versions("zfs-3.0.0\n").has_json());
  CHECK_FALSE(parse_versions("zfs-2.2.9\n").has_json());
  CHECK_FALSE(parse_versions("what\n").has_json());
}

TEST_CASE("zfs keylocation: a name and password in a URL are left out", "[agent][zfs]") {
  CHECK(without_credentials("https://me:pw@keys.lan/tank") == "https://keys.lan/tank");
  CHECK(without_credentials("https://keys.lan/a@b") == "https://keys.lan/a@b");
  CHECK(without_credentials("file:///root/key") == "file:///root/key");
  CHECK(without_credentials("prompt") == "prompt");
}

TEST_CASE("zfs tables: arbitrary bytes do no harm", "[agent][zfs]") {
  std::mt19937 random(11);
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (int i = 0; i < 200; ++i) text += "\t\n@-0a"[random() % 7];
    CHECK_NOTHROW(static_cast<void>(parse_pool_properties(text)));
    CHECK_NOTHROW(static_cast<void>(parse_datasets(text)));
    CHECK_NOTHROW(static_cast<void>(parse_snapshots(text)));
    CHECK_NOTHROW(static_cast<void>(parse_versions(text)));
  }
}

}  // namespace relab::agent::zfs
