// For tests: a PostgreSQL server of their own, in a temporary folder, reached by a Unix socket; one a program, at the first use.
//
// Without fsync: what is tested is what a server promises to its clients, which a killed process does not change.
#pragma once

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "data/postgres.h"

namespace everlearn {

class TestPostgres {
 public:
  // The program's own server, which ends with the program.
  static TestPostgres& Shared() {
    static TestPostgres server;
    return server;
  }

  TestPostgres() : owner_(getpid()) {
    std::string name = (std::filesystem::temp_directory_path() / "everlearn-pg-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    if (const passwd* user = User()) {
      uid_ = user->pw_uid;
      gid_ = user->pw_gid;
      if (chown(folder_.c_str(), uid_, gid_) != 0) throw std::runtime_error("chown " + folder_);
    }
    const int status = Wait(Spawn({Program("initdb"), "--pgdata=" + folder_ + "/data", "--username=tester", "--auth=trust",
                                   "--encoding=UTF8", "--locale=C", "--no-sync"}));
    if (status != 0) throw std::runtime_error("initdb failed, see " + folder_ + "/log");
    Start();
  }
  ~TestPostgres() {
    if (getpid() != owner_) return;  // a child of the test
    Kill();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TestPostgres(const TestPostgres&) = delete;
  TestPostgres& operator=(const TestPostgres&) = delete;

  // Of the database postgres; `rest` such as "?schema=a&…".
  std::string Url(const std::string& rest = "") const { return "postgresql://tester@" + Host() + "/postgres" + rest; }
  std::string Host() const { return Escaped(folder_); }  // as an address has it
  // A schema that no other test of the program has.
  std::string NewSchema() { return "s" + std::to_string(++schemas_) + "_" + std::to_string(owner_); }

  void Start() {
    server_ = Spawn({Program("postgres"), "-D", folder_ + "/data", "-k", folder_, "-c", "listen_addresses=", "-c", "fsync=off", "-c",
                     "max_connections=40", "-c", "shared_buffers=16MB"});
    for (int attempt = 0; attempt < 1500; ++attempt) {
      try {
        PostgresConnection(Url()).Execute("SELECT 1");
        return;
      } catch (const Error&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    }
    throw std::runtime_error("the server does not start, see " + folder_ + "/log");
  }
  // As a crash: no session ends well, what was not written ahead is gone.
  void Kill() {
    if (server_ <= 0) return;
    kill(server_, SIGQUIT);
    Wait(server_);
    server_ = 0;
  }

 private:
  // PostgreSQL refuses to run as root.
  static const passwd* User() {
    if (geteuid() != 0) return nullptr;
    const passwd* user = getpwnam("postgres");
    return user != nullptr ? user : getpwnam("nobody");
  }
  static std::string Program(const std::string& name) {
    for (int version = 20; version >= 15; --version) {
      const std::string path = "/usr/lib/postgresql/" + std::to_string(version) + "/bin/" + name;
      if (access(path.c_str(), X_OK) == 0) return path;
    }
    throw std::runtime_error("there is no " + name + ": run ./dev setup");
  }
  static std::string Escaped(const std::string& path) {
    std::string escaped;
    for (const char c : path) escaped += c == '/' ? "%2F" : std::string(1, c);
    return escaped;
  }
  static int Wait(pid_t process) {
    int status = 0;
    waitpid(process, &status, 0);
    return status;
  }
  pid_t Spawn(std::vector<std::string> words) const {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const std::string log = folder_ + "/log";
    const pid_t process = fork();
    if (process != 0) return process;
    if (uid_ != 0 && (setgroups(0, nullptr) != 0 || setgid(gid_) != 0 || setuid(uid_) != 0)) _exit(126);
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execv(arguments[0], arguments.data());
    _exit(127);
  }

  pid_t owner_;
  std::string folder_;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  pid_t server_ = 0;
  int schemas_ = 0;
};

}  // namespace everlearn
