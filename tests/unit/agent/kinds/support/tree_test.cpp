#include "agent/kinds/support/tree.h"

#include "agent/host/sim/sim_host.h"
#include "tests/support/must.h"

namespace relab::agent {

TEST_CASE("tree: a star stands for any part of one name", "[agent][tree]") {
  CHECK(matches("sonarr.service", "*.service"));
  CHECK(matches("qbittorrent-nox@media.service", "*qbittorrent*.service"));
  CHECK(matches("", "*"));
  CHECK_FALSE(matches("sonarr", "radarr*"));
  CHECK_FALSE(matches("a", "*b"));
  CHECK(matches("abcabd", "ab*ab*"));
  CHECK_FALSE(matches("ab", "ab*b"));
  CHECK_FALSE(matches("abc", "a*c*c"));
}

TEST_CASE("tree: a name full of stars takes no longer than others", "[agent][tree]") {
  const std::string stars = std::string(200, '*') + "j" + std::string(200, '*');

  CHECK(matches(std::string(200, 'a') + "j", stars));
  CHECK_FALSE(matches(std::string(5000, 'a'), stars));
}

TEST_CASE("tree: links that leave the tree on this machine stay inside of it", "[agent][tree]") {
  SimHost host;
  host.file("/etc/shadow", "canary");
  host.file("/rpool/ct/etc/shadow", "the container's own");
  host.link("/rpool/ct/var/absolute", "/etc/shadow");
  host.link("/rpool/ct/var/upwards", "../../../../etc/shadow");
  host.link("/rpool/ct/var/loop", "loop");
  Tree tree(host, {{.path = "/", .source = "/rpool/ct"}});

  const auto found = tree.gather({.contents = {"/var/*"}, .names = {}});

  CHECK(found.contents.at("/var/absolute") == "the container's own");
  CHECK(found.contents.at("/var/upwards") == "the container's own");
  CHECK(found.unreadable.contains("/var/loop"));
}

TEST_CASE("tree: a mount covers what lies below it", "[agent][tree]") {
  SimHost host;
  host.file("/rpool/ct/etc/hostname", "pbs");
  host.file("/rpool/ct/media/shadowed", "");
  host.file("/tank/media/film", "");
  Tree tree(host,
            {{.path = "/", .source = "/rpool/ct"}, {.path = "/media", .source = "/tank/media"}});

  CHECK(must(tree.resolve("/media/film")) == "/tank/media/film");
  CHECK(must(tree.resolve("/media")) == "/tank/media");
  CHECK(must(tree.resolve("/")) == "/rpool/ct");
  CHECK_FALSE(tree.resolve("/media/shadowed"));
  CHECK_FALSE(tree.resolve("/mediafile"));
}

TEST_CASE("tree: a mount's path may end in a slash", "[agent][tree]") {
  SimHost host;
  host.file("/rpool/ct/media/film", "");
  host.file("/tank/media/film", "");
  Tree tree(host,
            {{.path = "/", .source = "/rpool/ct"}, {.path = "//media/", .source = "/tank/media"}});

  CHECK(must(tree.resolve("/media/film")) == "/tank/media/film");
}

TEST_CASE("tree: what is mounted out of sight counts as not there", "[agent][tree]") {
  SimHost host;
  host.file("/rpool/ct/config/config.xml", "covered");
  Tree tree(host, {{.path = "/", .source = "/rpool/ct"}, {.path = "/config", .source = ""}});

  CHECK(tree.gather({.contents = {"/config/config.xml"}, .names = {}}).contents.empty());
  CHECK(tree.resolve("/config/config.xml").error().fault == Fault::missing);
}

TEST_CASE("tree: an error of reading is told, absence is not", "[agent][tree]") {
  SimHost host;
  host.file("/a/secret", "x");
  host.file("/a/large", std::string(gathered_size_max + 1, 'x'));
  host.broken("/a/secret", {.fault = Fault::damaged, .what = "input/output error"});
  Tree tree(host, {{.path = "/", .source = "/"}});

  const auto found = tree.gather({.contents = {"/a/*", "/b/*", "/a/large/below"}, .names = {}});

  CHECK(found.contents.empty());
  CHECK(found.unreadable.size() == 2);
}

TEST_CASE("tree: literal paths are no patterns", "[agent][tree]") {
  SimHost host;
  host.file("/srv/[a]*/x", "1");
  host.file("/srv/ab/x", "2");
  Tree tree(host, {{.path = "/", .source = "/"}});

  const auto found = tree.gather({.contents = {"/srv/[a]*/x"}, .names = {}, .literal = true});

  CHECK(found.contents.size() == 1);
  CHECK(found.contents.at("/srv/[a]*/x") == "1");
}

}  // namespace relab::agent
