\set ON_ERROR_STOP off
set client_min_messages = warning;
\pset pager off
create table people (id int primary key, name text not null, born date, tags text[], more jsonb);
create table visits (id bigserial primary key, person int not null references people on delete cascade,
                     at timestamp not null, cost numeric(10, 2) check (cost >= 0));
insert into people select n, 'name ' || md5(n::text), date '1950-01-01' + n % 20000,
       array['t' || n % 7, 't' || n % 11], jsonb_build_object('n', n, 'even', n % 2 = 0)
  from generate_series(1, :rows) n;
insert into visits (person, at, cost)
  select 1 + n * 7919 % :rows, timestamp '2020-01-01' + n * interval '1 minute', n % 10007 / 100.0
  from generate_series(1, 4 * :rows) n;
create index on visits (person, at);
create index on visits using brin (at);
create index on people using gin (tags);
create index on people using gin (more jsonb_path_ops);
create index on people using hash (name);
analyze;

select count(*), min(born), max(born), count(distinct tags) from people;
select p.id, count(*), sum(v.cost) from people p join visits v on v.person = p.id
  group by p.id order by 3 desc, 1 limit 5;
select id, rank() over (partition by born order by name desc) r, lag(id) over (order by id) l
  from people order by r desc, id limit 5;
with recursive walk(n, steps) as (select 27::bigint, 0 union all
  select case when n % 2 = 0 then n / 2 else 3 * n + 1 end, steps + 1 from walk where n > 1)
  select max(n), max(steps) from walk;
select count(*) from people where tags @> array['t3', 't5'];
select count(*) from people where more @> '{"even": true}';
select id from people where name = 'name ' || md5('77');
select count(*) from visits where at between '2020-01-02' and '2020-01-03';
select sum(2::numeric ^ n), sqrt(2::numeric(40, 30)), 10::numeric ^ -20 from generate_series(1, 200) n;
select to_tsvector('english', 'The quick brown foxes jumped') @@ to_tsquery('fox & jump');
select regexp_replace('2020-02-29', '(\d+)-(\d+)-(\d+)', '\3.\2.\1'), lower('ÄÖÜ'), length('äöü');

-- Mistakes are told, and nothing of them is kept.
insert into visits (person, at, cost) values (-1, '2020-01-01', 1);
insert into visits (person, at, cost) values (1, '2020-01-01', -1);
insert into people values (1, 'again');
select 1 / 0;
begin; delete from people where id % 2 = 0; savepoint one; delete from people; rollback to one;
select count(*) from people; rollback;
select count(*) from people;

create function fibonacci(n int) returns numeric language plpgsql as $$
declare a numeric := 0; b numeric := 1;
begin
  for i in 1 .. n loop b := a + b; a := b - a; end loop;
  return a;
exception when others then return -1;
end $$;
select fibonacci(10), fibonacci(300);
create function stamp() returns trigger language plpgsql as $$
begin new.name := upper(new.name); return new; end $$;
create trigger stamp before update on people for each row execute function stamp();
update people set born = born + 1 where id <= 3 returning id, name, born;

-- Sorts and tables that memory does not hold go to files.
set work_mem = '64kB';
select md5(string_agg(id::text, ',')) from (select id from visits order by cost, md5(id::text)) s;
select count(*), sum(n) from (select person, count(*) n from visits group by person) s;
reset work_mem;

-- Other processes take part, by memory that they share.
set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0;
set max_parallel_workers_per_gather = 3; set force_parallel_mode = on;
select count(*), sum(cost), avg(length(name))::numeric(10, 4) from visits v join people p on p.id = v.person;
reset force_parallel_mode;

-- Machine code is made for what is asked.
set jit = on; set jit_above_cost = 0; set jit_inline_above_cost = 0; set jit_optimize_above_cost = 0;
select sum(cost * 3 + person % 5), count(*) filter (where cost > 50) from visits;
set jit = off;

begin; insert into people (id, name) values (-5, 'two phases'); prepare transaction 'first';
select count(*) from people where id < 0;
commit prepared 'first';
select count(*) from people where id < 0;

begin; declare c scroll cursor for select id from people order by id desc;
fetch 3 from c; move backward 2 in c; fetch next from c; close c; commit;
copy (select id, tags from people where id between 1 and 5 order by id) to stdout with csv header;
create table copied (id int, tags text[]);
copy copied from stdin with csv;
1,"{a,b}"
2,"{""x y"",NULL}"
\.
select * from copied order by id;

delete from visits where id % 3 = 0;
vacuum (full, analyze) visits;
reindex table concurrently people;
cluster people using people_pkey;
select count(*), sum(cost) from visits;
listen news; notify news, 'heard'; unlisten news;
drop table people cascade;
select count(*) from visits;
