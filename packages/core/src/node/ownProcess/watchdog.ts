/**
 * A small process that ends what this one owns when this one dies, whatever it dies of: it reads a pipe of ours, and the
 * kernel closes that with us. A shell, because a second Node would cost 40 MB; in a session of its own, so that neither
 * Ctrl-C nor a signal to our group takes it first. It keeps nothing alive and ends with us if nothing is owned.
 */
import { spawn, type ChildProcess } from "node:child_process"
import { Socket } from "node:net"
import { runClean } from "../../context.ts"
import { plainEnv } from "./processTable.ts"

/** Told `own <pid> <group or -> <start time>` and `done <pid>`. Knows processes as `processTable.ts` and `Family.ts` do. */
const script = `# sojourn: ends the child processes of ${process.pid} when it is gone
trap '' HUP INT TERM
set -f
blank=' '
line='
'
IFS=$blank
owned=
while read -r word pid group start; do
  case $word in
    own) [ "$pid" -gt 1 ] && owned="$owned $pid,$group,$start" ;;
    done)
      kept=
      for one in $owned; do
        case $one in "$pid",*) ;; *) kept="$kept $one" ;; esac
      done
      owned=$kept ;;
  esac
done
[ -n "$owned" ] || exit 0

# Every process that runs: "pid,start,parent".
scan() {
  table=$blank
  IFS=$line
  if [ -r /proc/self/stat ]; then
    set +f
    rows=$(cat /proc/[0-9]*/stat)
    set -f
    for row in $rows; do
      pid=\${row%% *}
      IFS=$blank
      set -- \${row##*) }
      IFS=$line
      case $1 in [ZX]*) ;; *) table="$table$pid,\${20},$2 " ;; esac
    done
  else
    for row in $(ps -axo pid=,ppid=,stat=,lstart=); do
      IFS=$blank
      set -- $row
      IFS=$line
      case $3 in [ZX]*) ;; *) table="$table$1,$4_$5_$6_$7_$8,$2 " ;; esac
    done
  fi
  IFS=$blank
}
# Keeps what still is the process that was meant, and a group whose leader has ended. Other start time: other process.
verify() {
  kept=
  for one in $owned; do
    pid=\${one%%,*}
    start=\${one##*,}
    case $table in
      *" $pid,$start,"*) kept="$kept $one" ;;
      *" $pid,"*) ;;
      *) case $one in "$pid",-,*) ;; *) kept="$kept $one" ;; esac ;;
    esac
  done
  owned=$kept
}
# What descends from one that leads no group is owned like it.
descend() {
  more=1
  while [ -n "$more" ]; do
    more=
    for row in $table; do
      pid=\${row%%,*}
      parent=\${row##*,}
      start=\${row#*,}
      start=\${start%,*}
      case $owned$blank in *" $pid,-,"*) continue ;; esac
      case $owned in *" $parent,-,"*) owned="$owned $pid,-,$start" more=1 ;; esac
    done
  done
}
# This form of kill is what dash, bash and busybox have in common.
signal() {
  reached=1
  for one in $owned; do
    pid=\${one%%,*}
    case $one in "$pid",-,*) ;; *) pid=-$pid ;; esac
    kill "-$1" "$pid" && reached=0
  done
  return $reached
}
look() { scan; verify; descend; }

look
signal TERM
tries=20
while [ $tries -gt 0 ] && signal 0; do
  sleep 0.1
  tries=$((tries - 1))
done
[ $tries -gt 0 ] && exit 0
look
signal KILL
`

/** Milliseconds: one that ends sooner was not killed by chance and is not started again before there is something new to own. */
const diesTooSoon = 1000

export class Watchdog {
  /** All that is owned now, for one that has just been started: `<pid> <group or -> <start time>` each. */
  readonly #owned: () => ReadonlyArray<string>
  #process: ChildProcess | undefined

  constructor(owned: () => ReadonlyArray<string>) {
    this.#owned = owned
  }

  /** Starts it first, where there is a shell. */
  own(one: string): void {
    if (process.platform === "win32") return
    if (this.#process !== undefined) this.#tell(`own ${one}`)
    // Nothing of the first caller's context may stay with it.
    else runClean(() => this.#start())
  }
  disown(pid: number): void {
    this.#tell(`done ${pid}`)
  }

  #tell(line: string): void {
    const input = this.#process?.stdin
    if (input?.writable === true) input.write(`${line}\n`)
  }
  #start(): void {
    const started = performance.now()
    const child = spawn("sh", ["-c", script, "sojourn"], {
      detached: true,
      cwd: "/",
      env: plainEnv,
      stdio: ["pipe", "ignore", "ignore"],
    })
    this.#process = child
    const lost = (): void => {
      if (this.#process !== child) return
      this.#process = undefined
      if (performance.now() - started > diesTooSoon && this.#owned().length > 0) this.#start()
    }
    child.once("error", lost)
    child.once("exit", lost)
    child.unref()
    // Written to after its end: that is told above.
    child.stdin.on("error", () => {})
    // One that is stopped reads nothing: what waits for it keeps no process alive either.
    if (child.stdin instanceof Socket) child.stdin.unref()
    for (const one of this.#owned()) this.#tell(`own ${one}`)
  }
}
