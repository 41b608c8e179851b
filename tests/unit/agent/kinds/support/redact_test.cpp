#include "agent/kinds/support/redact.h"

#include "tests/support/must.h"

namespace relab::agent {

TEST_CASE("redaction: secrets go, the rest of the line stays", "[agent][support]") {
  using Row = std::tuple<const char*, const char*>;
  const auto [line, clean] = GENERATE(table<const char*, const char*>({
      Row{"", ""},
      Row{"/usr/bin/backup --quiet", "/usr/bin/backup --quiet"},
      Row{"PASSWORD=x run", "PASSWORD=*** run"},
      Row{"env api_token='a b' run", "env api_token=*** run"},
      Row{"restic --password x y", "restic --password *** y"},
      Row{"restic --password=x y", "restic --password=*** y"},
      Row{"restic --password-file /root/p y", "restic --password-file /root/p y"},
      Row{"curl https://u:p@h/x", "curl https://u:***@h/x"},
      Row{"curl https://u:p/q@h/x", "curl https://u:***@h/x"},
      Row{"git clone https://ghp_0123456789abcdefghijk@h/x", "git clone https://***@h/x"},
      Row{"ssh://git@h/x", "ssh://git@h/x"},
      Row{"curl 'http://h/api?apikey=abc&x=1'", "curl 'http://h/api?apikey=***&x=1'"},
      Row{"curl -H \"X-Api-Key: abc d\" h", "curl -H \"X-Api-Key: ***\" h"},
      Row{"curl -H 'Authorization: Bearer abc' h", "curl -H 'Authorization: ***' h"},
      Row{"curl -u me:pw h", "curl -u me:*** h"},
      Row{"curl -u me h", "curl -u me h"},
      Row{"sshpass -p pw ssh h", "sshpass -p *** ssh h"},
      Row{"sshpass -ppw ssh h", "sshpass -p*** ssh h"},
      Row{"mysqldump -u root -ppw db", "mysqldump -u root -p*** db"},
      Row{"mkdir -p /x", "mkdir -p /x"},
      Row{"zfs load-key -L file:///root/tank.key tank",
          "zfs load-key -L file:///root/tank.key tank"},
      Row{"TOKEN=", "TOKEN="},
      Row{"KEY=a\\ b c", "KEY=*** c"},
      Row{"KEY=\"open", "KEY=***"},
      Row{"KEY=end\\", "KEY=***"},
  }));

  CHECK(redact(line) == clean);
}

TEST_CASE("redaction: names of secrets are told in any case", "[agent][support]") {
  CHECK(is_secret_name("PGPASSWORD"));
  CHECK(is_secret_name("borg_passphrase"));
  CHECK(is_secret_name("RESTIC_Token"));
  CHECK_FALSE(is_secret_name("PATH"));
  CHECK_FALSE(is_secret_name(""));
}

}  // namespace relab::agent
