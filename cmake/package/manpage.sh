#!/bin/sh
# manpage.sh PROGRAM "what it is" > PROGRAM.1: a man page whose text is what PROGRAM --help prints, so that it is written once.
set -eu
name=$(basename "$1")
help=$("$1" --help)
version=$("$1" --version | awk '{print $2}')
# Backslashes, and a point or a quote that begins a line, mean something to troff; a hyphen that may be copied is \-.
escaped() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"; }
printf '.TH %s 1 "" "%s %s" "User Commands"\n' "$(echo "$name" | tr a-z A-Z)" "$name" "$version"
printf '.SH NAME\n%s \\- %s\n' "$(echo "$name" | escaped)" "$2"
printf '.SH SYNOPSIS\n.nf\n'
printf '%s\n' "$help" | sed -n -e '/^$/q' -e 's/^usage: //;s/^       //;p' | escaped
printf '.fi\n.SH DESCRIPTION\n.nf\n'
printf '%s\n' "$help" | sed -e '1,/^$/d' | escaped
printf '.fi\n.SH SEE ALSO\n'
for other in archai-run archai-space archai-inspect; do
    [ "$other" = "$name" ] || printf '.BR %s (1)\n' "$(echo "$other" | escaped)"
done
