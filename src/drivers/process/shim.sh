# Supervises one run of one instance's command; see README.md, "Never two". The driver copies this file into the
# instance's control folder for each run.
#
#   lead     leads the session, waits for the command and records how it ended
#   command  records itself, makes sure that no later act has overtaken it, and becomes the command
#
# A record is an empty file whose name says everything: made in one system call, so it is whole or not there.
# Nothing but the shell itself is needed, whatever the command's PATH is.

part=$1 fence=$2 next=$3 boot=$4 instance=$5
control=${0%/*}

find_since() {
  : # SINCE
}

record() {
  : > "$control/$1" || exit 1
}

find_since
case $part in
lead)
  # A caught signal is the command's to act on: it gets the default again, and this shell lives to record the end.
  trap : HUP INT QUIT TERM USR1 USR2
  record "run.$fence.$$.$since.$boot"
  shift
  /bin/sh "$0" command "$@"
  record "exit.$fence.$?"
  ;;
command)
  record "main.$fence.$$.$since.$boot"
  # In this order. Who overtakes makes `next` first and removes `fence` after; see README.md.
  [ -h "$control/fence.$next" ] && exit 1
  [ -h "$control/fence.$fence" ] || exit 1
  record "live.$fence"
  RUNSTATE_INSTANCE_ID=$instance
  export RUNSTATE_INSTANCE_ID
  shift 5
  exec "$@"
  ;;
esac
