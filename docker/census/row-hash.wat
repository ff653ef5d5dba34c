;; Hashes the rows of a table in COPY's text format, or the bytes of a large object: XXH64 with seed 0, added up modulo
;; 2^64, so that the order does not count. https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
;;
;; A row may begin in one piece of input and end in another. So the hash of the current one is kept: its accumulators, its
;; length so far, and at the start of the memory, the last bytes that do not fill a stripe of 32 bytes.
(module
  ;; The start as described, the input from $INPUT on, and room for reading 16 bytes at its last byte.
  (memory (export "memory") 6)
  (global (export "input") i32 (i32.const 65536))
  (global (export "inputBytes") i32 (i32.const 262144))

  ;; Hashes that were added up, and their sum.
  (global $count (export "count") (mut i64) (i64.const 0))
  (global $sum (export "sum") (mut i64) (i64.const 0))
  ;; Whether $rows has met the line that ends the rows.
  (global $ended (export "ended") (mut i32) (i32.const 0))

  (global $v1 (mut i64) (i64.const 0x60EA27EEADC0B5D6))
  (global $v2 (mut i64) (i64.const 0xC2B2AE3D27D4EB4F))
  (global $v3 (mut i64) (i64.const 0))
  (global $v4 (mut i64) (i64.const 0x61C8864E7A143579))
  (global $length (mut i64) (i64.const 0))
  (global $held (mut i32) (i32.const 0))

  ;; Begins a new hash.
  (func $begin (export "begin")
    (global.set $v1 (i64.const 0x60EA27EEADC0B5D6))
    (global.set $v2 (i64.const 0xC2B2AE3D27D4EB4F))
    (global.set $v3 (i64.const 0))
    (global.set $v4 (i64.const 0x61C8864E7A143579))
    (global.set $length (i64.const 0))
    (global.set $held (i32.const 0)))

  (func $round (param $v i64) (param $input i64) (result i64)
    (i64.mul
      (i64.rotl (i64.add (local.get $v) (i64.mul (local.get $input) (i64.const 0xC2B2AE3D27D4EB4F))) (i64.const 31))
      (i64.const 0x9E3779B185EBCA87)))

  ;; Hashes whole stripes.
  (func $stripes (param $at i32) (param $end i32)
    (local $v1 i64) (local $v2 i64) (local $v3 i64) (local $v4 i64)
    (if (i32.ge_u (local.get $at) (local.get $end)) (then (return)))
    (local.set $v1 (global.get $v1))
    (local.set $v2 (global.get $v2))
    (local.set $v3 (global.get $v3))
    (local.set $v4 (global.get $v4))
    (loop $next
      (local.set $v1 (call $round (local.get $v1) (i64.load (local.get $at))))
      (local.set $v2 (call $round (local.get $v2) (i64.load offset=8 (local.get $at))))
      (local.set $v3 (call $round (local.get $v3) (i64.load offset=16 (local.get $at))))
      (local.set $v4 (call $round (local.get $v4) (i64.load offset=24 (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 32)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (global.set $v1 (local.get $v1))
    (global.set $v2 (local.get $v2))
    (global.set $v3 (local.get $v3))
    (global.set $v4 (local.get $v4)))

  (func $merge (param $hash i64) (param $v i64) (result i64)
    (i64.add
      (i64.mul
        (i64.xor (local.get $hash) (call $round (i64.const 0) (local.get $v)))
        (i64.const 0x9E3779B185EBCA87))
      (i64.const 0x85EBCA77C2B2AE63)))

  ;; The hash of the stripes so far and these last bytes.
  (func $digest (param $at i32) (param $end i32) (result i64)
    (local $hash i64)
    (local.set $hash (i64.const 0x27D4EB2F165667C5))
    (if (i64.ge_u (global.get $length) (i64.const 32))
      (then
        (local.set $hash
          (i64.add
            (i64.add (i64.rotl (global.get $v1) (i64.const 1)) (i64.rotl (global.get $v2) (i64.const 7)))
            (i64.add (i64.rotl (global.get $v3) (i64.const 12)) (i64.rotl (global.get $v4) (i64.const 18)))))
        (local.set $hash (call $merge (local.get $hash) (global.get $v1)))
        (local.set $hash (call $merge (local.get $hash) (global.get $v2)))
        (local.set $hash (call $merge (local.get $hash) (global.get $v3)))
        (local.set $hash (call $merge (local.get $hash) (global.get $v4)))))
    (local.set $hash (i64.add (local.get $hash) (global.get $length)))
    (block $rest
      (loop $next
        (br_if $rest (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 8)))
        (local.set $hash
          (i64.add
            (i64.mul
              (i64.rotl
                (i64.xor (local.get $hash) (call $round (i64.const 0) (i64.load (local.get $at))))
                (i64.const 27))
              (i64.const 0x9E3779B185EBCA87))
            (i64.const 0x85EBCA77C2B2AE63)))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $next)))
    (if (i32.ge_u (i32.sub (local.get $end) (local.get $at)) (i32.const 4))
      (then
        (local.set $hash
          (i64.add
            (i64.mul
              (i64.rotl
                (i64.xor (local.get $hash) (i64.mul (i64.load32_u (local.get $at)) (i64.const 0x9E3779B185EBCA87)))
                (i64.const 23))
              (i64.const 0xC2B2AE3D27D4EB4F))
            (i64.const 0x165667B19E3779F9)))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $hash
          (i64.mul
            (i64.rotl
              (i64.xor (local.get $hash) (i64.mul (i64.load8_u (local.get $at)) (i64.const 0x27D4EB2F165667C5)))
              (i64.const 11))
            (i64.const 0x9E3779B185EBCA87)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.set $hash
      (i64.mul
        (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 33)))
        (i64.const 0xC2B2AE3D27D4EB4F)))
    (local.set $hash
      (i64.mul
        (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 29)))
        (i64.const 0x165667B19E3779F9)))
    (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 32))))

  ;; Adds bytes to the current hash.
  (func $update (export "update") (param $at i32) (param $end i32)
    (local $bytes i32)
    (global.set $length
      (i64.add (global.get $length) (i64.extend_i32_u (i32.sub (local.get $end) (local.get $at)))))
    (if (global.get $held)
      (then
        (local.set $bytes (i32.sub (i32.const 32) (global.get $held)))
        (if (i32.gt_u (local.get $bytes) (i32.sub (local.get $end) (local.get $at)))
          (then (local.set $bytes (i32.sub (local.get $end) (local.get $at)))))
        (memory.copy (global.get $held) (local.get $at) (local.get $bytes))
        (local.set $at (i32.add (local.get $at) (local.get $bytes)))
        (global.set $held (i32.add (global.get $held) (local.get $bytes)))
        (if (i32.lt_u (global.get $held) (i32.const 32)) (then (return)))
        (call $stripes (i32.const 0) (i32.const 32))))
    (global.set $held (i32.and (i32.sub (local.get $end) (local.get $at)) (i32.const 31)))
    (local.set $bytes (i32.sub (local.get $end) (global.get $held)))
    (call $stripes (local.get $at) (local.get $bytes))
    (memory.copy (i32.const 0) (local.get $bytes) (global.get $held)))

  (func $add (param $hash i64)
    (global.set $sum (i64.add (global.get $sum) (local.get $hash)))
    (global.set $count (i64.add (global.get $count) (i64.const 1)))
    (call $begin))

  ;; Completes the current hash, and adds it to the sum.
  (func $finish (export "finish")
    (call $add (call $digest (i32.const 0) (global.get $held))))

  ;; The place of the next line feed, or $end.
  (func $lineFeed (param $at i32) (param $end i32) (result i32)
    (local $found i32)
    (loop $next
      (local.set $found
        (i8x16.bitmask (i8x16.eq (v128.load align=1 (local.get $at)) (i8x16.splat (i32.const 10)))))
      (if (local.get $found)
        (then
          (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $found))))
          (return (select (local.get $at) (local.get $end) (i32.lt_u (local.get $at) (local.get $end))))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (local.get $end))

  ;; Adds the rows in a piece of input: lines, up to one that is only `\.`. Returns the place after that, or $end.
  (func $rows (export "rows") (param $at i32) (param $end i32) (result i32)
    (local $lineFeed i32) (local $rest i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $lineFeed (call $lineFeed (local.get $at) (local.get $end)))
        (if (i32.eq (local.get $lineFeed) (local.get $end))
          (then (call $update (local.get $at) (local.get $end)) (br $done)))
        (if (i64.eqz (global.get $length))
          (then
            (global.set $length (i64.extend_i32_u (i32.sub (local.get $lineFeed) (local.get $at))))
            (local.set $rest
              (i32.add
                (local.get $at)
                (i32.and (i32.sub (local.get $lineFeed) (local.get $at)) (i32.const 0xffffffe0))))
            (call $stripes (local.get $at) (local.get $rest)))
          (else
            (call $update (local.get $at) (local.get $lineFeed))
            (local.set $rest (i32.const 0))))
        (local.set $at (i32.add (local.get $lineFeed) (i32.const 1)))
        (if (i32.eqz (local.get $rest)) (then (local.set $lineFeed (global.get $held))))
        (if
          (i32.and
            (i64.eq (global.get $length) (i64.const 2))
            (i32.eq (i32.load16_u (local.get $rest)) (i32.const 0x2E5C)))
          (then (call $begin) (global.set $ended (i32.const 1)) (return (local.get $at))))
        (call $add (call $digest (local.get $rest) (local.get $lineFeed)))
        (br $next)))
    (local.get $end)))
